//! Replaces hashes from another shop by current ones when their users log in.

use std::error::Error;
use std::time::Duration;

use storefront_core::{User, Users};
use storefront_credentials::GivenPassword;
use tokio::time::timeout;
use tracing::{info, warn};

/// How long a log-in waits until a hash is made and written, which usually takes a tenth of a
/// second. A table that does not accept it now may accept it next time. Even after verifying the
/// costliest hash, a request has more time left than this.
const RENEW_TIMEOUT: Duration = Duration::from_secs(4);

/// Replaces a hash that does not have the current parameters, now that its password is known. A
/// user with the right password is let in even if this fails; the failure goes to the log.
pub(crate) async fn renew_hash(users: &Users, user: &User, password: GivenPassword) {
    let user_id = user.id;
    let renewed = timeout(RENEW_TIMEOUT, renew(users, user, password)).await;
    match renewed.unwrap_or_else(|late| Err(late.into())) {
        Ok(Some(true)) => info!(%user_id, "the password's hash was renewed"),
        Ok(Some(false)) => info!(%user_id, "the password's hash was changed meanwhile"),
        Ok(None) => {}
        Err(error) => {
            warn!(%user_id, error = &*error as &dyn Error, "renewing the password's hash failed");
        }
    }
}

/// Returns `None` if the user's hash is to stay; otherwise whether the new one has replaced it.
async fn renew(
    users: &Users,
    user: &User,
    password: GivenPassword,
) -> Result<Option<bool>, Box<dyn Error + Send + Sync>> {
    let old = &user.password_hash;
    let Some(new) = password.renew(old).await? else { return Ok(None) };
    Ok(Some(users.renew_password_hash(user.id, old, &new).await?))
}
