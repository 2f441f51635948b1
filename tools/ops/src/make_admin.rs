//! `storefront-ops make-admin`.

use std::io::{self, Write as _};

use storefront_core::{Email, Error as CoreError, Role, UserChanges, Users};

use crate::error::Error;

/// Makes the user with this email an administrator, once the operator has seen who that is and agrees. Does
/// nothing if they are one already.
///
/// Anybody may register with any email. Only who reads its mails can verify it.
pub(crate) async fn run(
    users: &Users,
    table: &str,
    email: &Email,
    agreed: bool,
) -> Result<(), Error> {
    let email_text = || email.as_str().to_owned();
    let failed = |source| Error::Table { table: table.to_owned(), source };

    let user = users.find_by_email(email).await.map_err(failed)?;
    let user = user.ok_or_else(|| Error::NoSuchUser { email: email_text() })?;
    if user.role == Role::Admin {
        println!("{} ({}) is already an administrator", email.as_str(), user.id);
        return Ok(());
    }
    // Escaped: version 0.1 took any characters.
    println!(
        "{} ({}), who calls themselves {:?}, registered at {}; the email is {}",
        email.as_str(),
        user.id,
        user.name.as_str(),
        user.created_at,
        if user.email_verified { "verified" } else { "NOT verified: anybody may have given it" },
    );
    if !agreed && !agrees().map_err(Error::NoAnswer)? {
        return Err(Error::NotAgreed);
    }
    let changes = UserChanges { role: Some(Role::Admin), ..UserChanges::default() };
    // Only at the version just read: the index lags, so the email may belong to another user by
    // now.
    match users.update(user.id, changes, Some(user.version)).await {
        Ok(_) => {
            println!("{} ({}) is an administrator with their next token", email.as_str(), user.id);
            Ok(())
        }
        Err(CoreError::VersionMismatch { .. } | CoreError::UserNotFound) => {
            Err(Error::Changed { email: email_text() })
        }
        Err(error) => Err(failed(error)),
    }
}

/// Asks on the terminal.
fn agrees() -> io::Result<bool> {
    print!("Make them an administrator, who may do everything in the shop? [y/N] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes)))
}
