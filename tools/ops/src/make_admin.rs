//! `storefront-ops make-admin`.

use storefront_core::{Email, Error as CoreError, Role, UserChanges, Users};

use crate::error::Error;

/// Makes the user with this email an administrator. Does nothing if they are one already.
pub(crate) async fn run(users: &Users, table: &str, email: &Email) -> Result<(), Error> {
    let email_text = || email.as_str().to_owned();
    let failed = |source| Error::Table { table: table.to_owned(), source };

    let user = users.find_by_email(email).await.map_err(failed)?;
    let user = user.ok_or_else(|| Error::NoSuchUser { email: email_text() })?;
    if user.role == Role::Admin {
        println!("{} ({}) is already an administrator", email.as_str(), user.id);
        return Ok(());
    }
    let changes = UserChanges { role: Some(Role::Admin), ..UserChanges::default() };
    // Only at the version just read: the index lags, so the email may belong to another user by
    // now.
    match users.update(user.id, changes, Some(user.version)).await {
        Ok(_) => {
            println!(
                "{} ({}) is an administrator from their next log-in on",
                email.as_str(),
                user.id
            );
            Ok(())
        }
        Err(CoreError::VersionMismatch { .. } | CoreError::UserNotFound) => {
            Err(Error::Changed { email: email_text() })
        }
        Err(error) => Err(failed(error)),
    }
}
