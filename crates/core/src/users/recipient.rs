use serde::Deserialize;

use super::{Locale, Users, locale};
use crate::schema::{ItemType, Key};
use crate::{Email, Name, Result, UserId};

/// What a mail to a user needs to know of them.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Recipient {
    pub email: Email,
    pub name: Name,
    /// `None` if it is not known.
    #[serde(default, deserialize_with = "locale::if_known")]
    pub locale: Option<Locale>,
}

impl Users {
    /// Returns whom to write to; `None` if there is no such user any more.
    ///
    /// Strongly consistent, so that somebody who has just been deleted gets no mail, and somebody who has
    /// just changed the address gets it there. The password hash is not read.
    pub async fn recipient(&self, id: UserId) -> Result<Option<Recipient>> {
        let attributes = ["email", "name", "locale"];
        self.table.get_attributes(ItemType::User, Key::user(id), &attributes).await
    }
}
