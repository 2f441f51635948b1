//! Hashes that users bring from another shop become today's when their users log in.

use std::error::Error;
use std::time::Duration;

use storefront_core::{User, Users};
use storefront_credentials::GivenPassword;
use tokio::time::timeout;
use tracing::{info, warn};

/// How long a log-in waits for a hash to be made and written, which usually takes a tenth of a second:
/// a table that does not take it now may take it the next time. Verifying even the costliest hash
/// before leaves more than this of the time that a request has.
const RENEW_TIMEOUT: Duration = Duration::from_secs(4);

/// Puts a hash of today's in the place of one that was not made as hashes are made today, now that
/// its password is known. Whoever has the right password is let in, also when that fails: it goes to
/// the log.
pub(crate) async fn renew_hash(users: &Users, user: &User, password: GivenPassword) {
    let user_id = user.id;
    let renewed = timeout(RENEW_TIMEOUT, renew(users, user, password)).await;
    match renewed.unwrap_or_else(|late| Err(late.into())) {
        Ok(Some(true)) => info!(%user_id, "the password's hash was renewed"),
        Ok(Some(false)) => info!(%user_id, "the password's hash was changed by others meanwhile"),
        Ok(None) => {}
        Err(error) => {
            warn!(%user_id, error = &*error as &dyn Error, "renewing the password's hash failed");
        }
    }
}

/// `None` where the user's hash is to stay; otherwise whether the new one is in its place.
async fn renew(
    users: &Users,
    user: &User,
    password: GivenPassword,
) -> Result<Option<bool>, Box<dyn Error + Send + Sync>> {
    let old = &user.password_hash;
    let Some(new) = password.renew(old).await? else { return Ok(None) };
    Ok(Some(users.renew_password_hash(user.id, old, &new).await?))
}
