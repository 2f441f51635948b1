use serde::{Deserialize, Serialize};

use super::locale::if_known;
use super::sessions::end_sessions;
use super::{KeptSession, Locale, PasswordHash, Role, guard_item};
use crate::change::{Change, string};
use crate::schema::{self, IndexKey, Item, ItemType, Key};
use crate::{Email, Name, Result, SessionId, Timestamp, UserId, Version};

/// A user, as stored in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct User {
    pub id: UserId,
    pub email: Email,
    pub name: Name,
    pub password_hash: PasswordHash,
    /// How often the password was changed. Failed log-ins count for one version of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub password_version: u64,
    /// Whether somebody has shown that they read the mails to this email.
    #[serde(default, skip_serializing_if = "is_false")]
    pub email_verified: bool,
    pub role: Role,
    /// The language to write to them in, if it is known.
    #[serde(default, deserialize_with = "if_known", skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// How often all sessions of the user were ended. Those of an earlier epoch are over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub session_epoch: u64,
    /// The one session of an earlier epoch that is not over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_session: Option<SessionId>,
    pub version: Version,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The data of a new user.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct NewUser {
    pub email: Email,
    pub name: Name,
    pub password_hash: PasswordHash,
    pub role: Role,
    pub locale: Option<Locale>,
}

/// The changes to a user; `None` leaves a field unchanged.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct UserChanges {
    pub name: Option<Name>,
    pub email: Option<Email>,
    /// Ends all sessions but [`Self::keeps`].
    pub password_hash: Option<PasswordHash>,
    /// The session that a new password does not end: the one in which it was changed.
    pub keeps: Option<KeptSession>,
    pub role: Option<Role>,
    pub locale: Option<Locale>,
}

/// Whether the email is verified, as an attribute.
pub(super) const EMAIL_VERIFIED: &str = "emailVerified";

/// Changes everything except the email, which takes more than one item.
pub(super) fn change(changes: &UserChanges, now: Timestamp) -> Change {
    let change = Change::at(now)
        .set_some("name", changes.name.as_ref().map(string))
        .set_some("role", changes.role.map(string))
        .set_some("locale", changes.locale.map(string));
    match &changes.password_hash {
        Some(hash) => {
            let change = change.set("passwordHash", string(hash.as_str())).count("passwordVersion");
            end_sessions(change, changes.keeps)
        }
        None => change,
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl User {
    /// A user who has just been registered with this id.
    #[must_use]
    pub fn new(id: UserId, new: NewUser) -> Self {
        Self {
            id,
            email: new.email,
            name: new.name,
            password_hash: new.password_hash,
            password_version: 0,
            email_verified: false,
            role: new.role,
            locale: new.locale,
            session_epoch: 0,
            kept_session: None,
            version: 1,
            created_at: id.created_at(),
            updated_at: id.created_at(),
        }
    }

    /// The user after these changes and this new email have been written.
    pub(super) fn changed(self, changes: &UserChanges, email: &Email, now: Timestamp) -> Self {
        let has_new_password = changes.password_hash.is_some();
        Self {
            email: email.clone(),
            email_verified: false,
            name: changes.name.clone().unwrap_or(self.name),
            password_hash: changes.password_hash.clone().unwrap_or(self.password_hash),
            password_version: self.password_version + u64::from(has_new_password),
            role: changes.role.unwrap_or(self.role),
            locale: changes.locale.or(self.locale),
            session_epoch: self.session_epoch + u64::from(has_new_password),
            kept_session: if has_new_password {
                changes.keeps.map(KeptSession::id)
            } else {
                self.kept_session
            },
            version: self.version + 1,
            updated_at: now,
            ..self
        }
    }

    /// Returns a registered user's items in the table: the user, and the guard of the email. For
    /// programs that fill a table in bulk. [`Users::register`] writes these items, and makes sure
    /// that the email is free.
    pub fn to_items(&self) -> Result<[Item; 2]> {
        let index_key = IndexKey::user(self.id, &self.email);
        let user = schema::item(ItemType::User, Key::user(self.id), Some(index_key), self)?;
        Ok([user, guard_item(self.id, &self.email)?])
    }
}
