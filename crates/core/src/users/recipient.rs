use serde::Deserialize;

use super::user::EMAIL_VERIFIED;
use super::{Locale, Users, locale};
use crate::schema::{ItemType, Key};
use crate::{Email, Name, Result, UserId};

/// What a mail to a user needs to know of them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct Recipient {
    pub id: UserId,
    pub email: Email,
    pub name: Name,
    /// `None` if it is not known.
    #[serde(default, deserialize_with = "locale::if_known")]
    pub locale: Option<Locale>,
    /// Whether they have shown that they read their mails.
    #[serde(default)]
    pub email_verified: bool,
    #[serde(default)]
    pub password_version: u64,
}

/// What is read of them. Least of all the password hash.
const ATTRIBUTES: [&str; 6] = ["id", "email", "name", "locale", EMAIL_VERIFIED, "passwordVersion"];

impl Users {
    /// Returns whom to write to; `None` if there is no such user any more.
    ///
    /// Strongly consistent, so that somebody who has just been deleted gets no mail, and somebody who has
    /// just changed the address gets it there.
    pub async fn recipient(&self, id: UserId) -> Result<Option<Recipient>> {
        self.table.get_attributes(ItemType::User, Key::user(id), &ATTRIBUTES).await
    }

    /// Returns the user with this email, to write to; `None` if there is none. Strongly consistent.
    pub async fn recipient_at(&self, email: &Email) -> Result<Option<Recipient>> {
        let Some(id) = self.id_of(email).await? else { return Ok(None) };
        // The email may have changed between the two reads.
        Ok(self.recipient(id).await?.filter(|to| to.email == *email))
    }
}
