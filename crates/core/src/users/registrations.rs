//! Registrations that wait until their email is verified.
//!
//! A shop that does not want to tell who has an account with it cannot answer that an email is taken. So it
//! takes every registration, and writes to the email: who reads the mail either becomes a user, or learns that
//! they are one.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::mail_tokens::Grant;
use super::{Locale, MailTokens, NewUser, PasswordHash, Recipient, Role, User};
use crate::access_patterns::{AccessPattern, pattern};
use crate::change::{Change, string};
use crate::schema::{self, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, Outcome};
use crate::{Email, Error, Name, Result, Table, Timestamp, UserId, VERIFICATION_LIFETIME};

/// How long a registration waits for its mail to be confirmed. Longer than the mail's token is valid, which is made
/// when the mail is sent, up to an hour later.
pub const REGISTRATION_WAITS_FOR: Duration =
    Duration::from_secs(VERIFICATION_LIFETIME.as_secs() + 3600);

/// The registrations that wait.
#[derive(Clone, Debug)]
pub struct Registrations {
    table: Table,
}

/// A registration, as stored in the table.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registration {
    id: UserId,
    email: Email,
    name: Name,
    password_hash: PasswordHash,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<Locale>,
    /// In seconds since 1970.
    expires_at: i64,
}

impl Registrations {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern("keep a registration until its email is verified", "1 PutItem").writes(1.0),
        pattern(
            "a registration, for its mail",
            "1 GetItem of what a mail needs, strongly consistent",
        )
        .reads(1.0),
        pattern(
            "register a user whose email is verified by then",
            "2 GetItem, strongly consistent + 1 TransactWriteItems (User, UniqueEmail, Registration, MailToken)",
        )
        .reads(2.0)
        .writes(9.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Keeps a registration until its email is verified, with the id that the user will have. Whether somebody
    /// has the email is not looked up.
    pub async fn keep(&self, id: UserId, new: NewUser) -> Result<()> {
        let lifetime = REGISTRATION_WAITS_FOR.as_secs().cast_signed();
        let registration = Registration {
            id,
            email: new.email,
            name: new.name,
            password_hash: new.password_hash,
            locale: new.locale,
            expires_at: Timestamp::now().as_seconds() + lifetime,
        };
        let item =
            schema::item(ItemType::Registration, Key::registration(id), None, &registration)?;
        // Nobody else has this id, so a second try writes the same.
        let put = self.table.client.put_item().table_name(&self.table.name);
        put.set_item(Some(item)).send().await?;
        Ok(())
    }

    /// Returns whom to write to about a registration; `None` if it is no longer there.
    pub async fn recipient(&self, id: UserId) -> Result<Option<Recipient>> {
        let attributes = ["id", "email", "name", "locale"];
        self.table.get_attributes(ItemType::Registration, Key::registration(id), &attributes).await
    }
}

impl MailTokens {
    /// Makes a user of the registration that a token is for. [`Error::MailTokenInvalid`] if it is gone, or the email
    /// has been taken since.
    pub(super) async fn finish_registration(&self, token: Key, grant: &Grant) -> Result<()> {
        let key = Key::registration(grant.user_id);
        let found: Option<Registration> =
            self.table.get(ItemType::Registration, key.clone(), Consistency::Strong).await?;
        let registration = found.filter(|found| found.email == grant.email);
        let registration = registration.ok_or(Error::MailTokenInvalid)?;
        let new = NewUser {
            email: registration.email,
            name: registration.name,
            password_hash: registration.password_hash,
            role: Role::User,
            locale: registration.locale,
        };
        let user = User { email_verified: true, ..User::new(registration.id, new) };
        let [user, guard] = user.to_items()?;
        let is_there = Change::unseen().require("id", string(grant.user_id));
        let actions = vec![
            self.table.put_new(user)?,
            self.table.put_new(guard)?,
            is_there.into_delete(&self.table, key)?,
            grant.used().into_delete(&self.table, token)?,
        ];
        match transaction::write(&self.table, actions).await? {
            Outcome::Written => Ok(()),
            Outcome::Cancelled(_) => Err(Error::MailTokenInvalid),
        }
    }
}
