//! Users, and the guard that keeps their emails unique.

mod account_mail;
mod administrators;
mod counter;
mod locale;
mod login_attempts;
mod mail_tokens;
mod password_hash;
mod recipient;
mod registrations;
mod role;
mod sessions;
mod source;
mod unique_email;
mod user;

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::Deserialize;

use crate::access_patterns::{AccessPattern, pattern};
use crate::change::{Change, number, string};
use crate::schema::{self, IndexKey, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, Outcome, Written};
use crate::{Email, EntityId, Error, Result, SessionId, Table, Timestamp, UserId, Version, retry};

pub use account_mail::{AccountMail, AccountMailKind, RequestedMail};
pub use locale::{InvalidLocale, Locale};
pub use login_attempts::{
    LOGIN_WINDOW, LoginAttempt, LoginAttempts, MAX_FAILURES_OF_EMAIL, MAX_FAILURES_OF_SOURCE,
    MAX_LOGIN_FAILURES, SOURCE_KNOWN_FOR,
};
pub use mail_tokens::{
    ACCOUNT_MAILS_WINDOW, MAX_ACCOUNT_MAILS, MailToken, MailTokens, PasswordReset, RESET_LIFETIME,
    VERIFICATION_LIFETIME,
};
pub use password_hash::PasswordHash;
pub use recipient::Recipient;
pub use registrations::{REGISTRATION_WAITS_FOR, Registrations};
pub use role::{InvalidRole, Role};
pub use sessions::{
    GRACE as REFRESH_GRACE, KeptSession, SESSION_LIFETIME, Session, SessionEnd, Sessions, UserAgent,
};
pub use source::Source;
pub(crate) use unique_email::{UniqueEmail, delete_guard, guard_item};
use user::{EMAIL_VERIFIED, change};
pub use user::{NewUser, User, UserChanges};

/// The users of the shop.
#[derive(Clone, Debug)]
pub struct Users {
    table: Table,
}

impl Users {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern("register a user", "1 TransactWriteItems (User, UniqueEmail)").writes(5.0),
        pattern("user by id", "1 GetItem").reads(0.5),
        pattern("user by id", "+ 1 GetItem, strongly consistent")
            .case("that does not exist")
            .reads(1.5),
        pattern(
            "a user's role, for what only administrators may do",
            "1 GetItem of that attribute, strongly consistent",
        )
        .reads(1.0),
        pattern(
            "a user's name, email and language, for a mail",
            "1 GetItem of what a mail needs, strongly consistent",
        )
        .reads(1.0),
        pattern(
            "a user's name and language by email, for a mail",
            "2 GetItem, of the guard and of what a mail needs, strongly consistent",
        )
        .reads(2.0),
        pattern(
            "a user's name and language by email, for a mail",
            "1 GetItem of the guard, strongly consistent",
        )
        .case("that no user has")
        .reads(1.0),
        pattern("user by email", "1 Query on GSI1").reads(0.5),
        pattern("user by email", "+ 1 GetItem of the guard, strongly consistent")
            .case("that no user has")
            .reads(1.5),
        pattern("user by email", "+ 2 GetItem, of the guard and of the user, strongly consistent")
            .case("that the index does not have yet")
            .reads(2.5),
        pattern(
            "user by email, at log-in",
            "2 GetItem, of the guard and of the user, strongly consistent",
        )
        .reads(2.0),
        pattern("user by id, to check a password", "1 GetItem, strongly consistent").reads(1.0),
        pattern(
            "change a user's name, password or role",
            "1 TransactWriteItems + 1 GetItem, strongly consistent",
        )
        .reads(1.0)
        .writes(3.0),
        pattern(
            "renew a password's hash, at the first log-in of a user from another shop",
            "1 TransactWriteItems",
        )
        .writes(3.0),
        pattern(
            "change a user's email",
            "1 GetItem + 1 TransactWriteItems (User, old and new guard)",
        )
        .reads(1.0)
        .writes(8.0),
        pattern(
            "take a user's role away",
            "1 TransactWriteItems (User, check of the administrator) + 1 GetItem, strongly consistent",
        )
        .reads(1.0)
        .writes(5.0),
        pattern("delete a user", "1 GetItem + 1 TransactWriteItems (User, guard)")
            .reads(1.0)
            .writes(5.0),
        pattern("delete a user", "the check of another administrator is part of it")
            .case("who is an administrator")
            .reads(1.0)
            .writes(7.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Registers a user, unless another user has the email ([`Error::EmailTaken`]).
    ///
    /// The guard is written with the user, so that one of several concurrent registrations of an
    /// email wins.
    pub async fn register(&self, id: UserId, new: NewUser) -> Result<User> {
        let user = User::new(id, new);
        let puts = user.to_items()?.map(|item| self.table.put_new(item));
        let actions = puts.into_iter().collect::<Result<_>>()?;
        match transaction::write(&self.table, actions).await? {
            Outcome::Written => Ok(user),
            Outcome::Cancelled(_) => Err(Error::EmailTaken),
        }
    }

    /// Finds a user by id.
    pub async fn find(&self, id: UserId) -> Result<Option<User>> {
        self.table.find(ItemType::User, Key::user(id)).await
    }

    /// Reads the user with strong consistency, for password checks.
    pub async fn find_now(&self, id: UserId) -> Result<Option<User>> {
        self.table.get(ItemType::User, Key::user(id), Consistency::Strong).await
    }

    /// Returns a user's current role; `None` if there is no such user.
    ///
    /// Strongly consistent, because a role that was taken away must not count any more. Nothing
    /// else of the user is read, least of all the password hash.
    pub async fn role_of(&self, id: UserId) -> Result<Option<Role>> {
        let found: Option<HasRole> =
            self.table.get_attributes(ItemType::User, Key::user(id), &["role"]).await?;
        Ok(found.map(|user| user.role))
    }

    /// Finds a user by email.
    ///
    /// The index lags the table by a moment. What it does not contain yet is looked up through the
    /// guard, so that a user who has just registered is found.
    pub async fn find_by_email(&self, email: &Email) -> Result<Option<User>> {
        let partition = schema::email_partition(email);
        if let Some(user) = self.table.find_in_index(ItemType::User, partition).await? {
            return Ok(Some(user));
        }
        let Some(id) = self.id_of(email).await? else { return Ok(None) };
        let user = self.find_now(id).await?;
        // The user may have changed the email since the guard was read.
        Ok(user.filter(|user| user.email == *email))
    }

    /// Reads the user with this email with strong consistency, for checks of password and role.
    ///
    /// It goes through the guard. The index, with its copy of the user, lags the table: a password
    /// that was just changed would be rejected, and the old one would still be accepted.
    pub async fn find_to_log_in(&self, email: &Email) -> Result<Option<User>> {
        // Without a guard, a random id is read: an unknown email must not take less time.
        let id = self.id_of(email).await?.unwrap_or_else(UserId::new);
        let user = self.find_now(id).await?;
        // The email may have changed between the two reads.
        Ok(user.filter(|user| user.email == *email))
    }

    /// Returns who has this email, from its guard, strongly consistent.
    async fn id_of(&self, email: &Email) -> Result<Option<UserId>> {
        let key = Key::unique_email(email);
        let guard: Option<UniqueEmail> =
            self.table.get(ItemType::UniqueEmail, key, Consistency::Strong).await?;
        Ok(guard.map(|guard| guard.user_id))
    }

    /// Changes a user. If a version is expected, the user must be at that version
    /// ([`Error::VersionMismatch`]). A new email swaps the guard in the same transaction. Returns
    /// the user after the change, including what others may have changed since.
    pub async fn update(
        &self,
        id: UserId,
        changes: UserChanges,
        expected: Option<Version>,
    ) -> Result<User> {
        let Some(email) = &changes.email else {
            return self.update_item(id, &changes, expected, None).await;
        };
        retry::while_outdated(|| async {
            let user = self.expect(id, expected).await?;
            if user.email == *email {
                // At the version that was read, because the email may differ in another version.
                return match self.update_item(id, &changes, Some(user.version), None).await {
                    Err(Error::VersionMismatch { .. }) => Ok(None),
                    updated => updated.map(Some),
                };
            }
            self.change_email(user, &changes, email).await
        })
        .await
    }

    /// Replaces `old` with a new hash of the same password. Returns whether `old` was still there:
    /// a password that was changed meanwhile stays changed, and a deleted user stays deleted.
    ///
    /// It makes no new version. The user looks the same to everyone, and a client that has read the
    /// user must not have its change rejected because the user has logged in since.
    pub async fn renew_password_hash(
        &self,
        id: UserId,
        old: &PasswordHash,
        new: &PasswordHash,
    ) -> Result<bool> {
        let change = Change::unseen()
            .set("passwordHash", string(new.as_str()))
            .require("passwordHash", string(old.as_str()));
        let action = change.into_action(&self.table, Key::user(id))?;
        Ok(matches!(transaction::write_one(&self.table, action).await?, Written::Done))
    }

    /// Deletes a user and frees the email. The user's orders stay.
    pub async fn delete(&self, id: UserId, expected: Option<Version>) -> Result<()> {
        self.delete_if(id, expected, |_| Ok(None)).await
    }

    /// Deletes a user if the current one may be deleted. `may` returns what must still hold when the user is
    /// deleted, if anything: a check of an administrator.
    async fn delete_if(
        &self,
        id: UserId,
        expected: Option<Version>,
        may: impl Fn(&User) -> Result<Option<TransactWriteItem>>,
    ) -> Result<()> {
        /// The position of the check among the actions.
        const ADMINISTRATOR: usize = 2;
        retry::while_outdated(|| async {
            let user = self.expect(id, expected).await?;
            let check = may(&user)?;
            let as_seen = Change::unseen().require("version", number(user.version));
            let mut actions = vec![
                as_seen.into_delete(&self.table, Key::user(id))?,
                delete_guard(&self.table, user.id, &user.email)?,
            ];
            actions.extend(check);
            match transaction::write(&self.table, actions).await? {
                Outcome::Written => Ok(Some(())),
                Outcome::Cancelled(mut failed) => match failed.remove(&ADMINISTRATOR) {
                    Some(found) => Err(administrators::refusal(found.as_ref())),
                    None => Ok(None),
                },
            }
        })
        .await
    }

    /// Changes everything except the email, if an administrator passes the check, if there is one.
    async fn update_item(
        &self,
        id: UserId,
        changes: &UserChanges,
        expected: Option<Version>,
        check: Option<TransactWriteItem>,
    ) -> Result<User> {
        /// Positions among the actions.
        const USER: usize = 0;
        const ADMINISTRATOR: usize = 1;
        let change = change(changes, Timestamp::now()).require_version(expected);
        let mut actions = vec![change.into_action(&self.table, Key::user(id))?];
        actions.extend(check);
        let mut failed = match transaction::write(&self.table, actions).await? {
            Outcome::Written => return self.find_now(id).await?.ok_or(Error::UserNotFound),
            Outcome::Cancelled(failed) => failed,
        };
        if let Some(found) = failed.remove(&ADMINISTRATOR) {
            return Err(administrators::refusal(found.as_ref()));
        }
        match failed.remove(&USER).flatten() {
            Some(item) => {
                let user: User = schema::entity(ItemType::User, item)?;
                Err(Error::VersionMismatch { current: user.version })
            }
            None => Err(Error::UserNotFound),
        }
    }

    /// Returns `None` if the user was changed since it was read.
    async fn change_email(
        &self,
        user: User,
        changes: &UserChanges,
        email: &Email,
    ) -> Result<Option<User>> {
        /// Positions among the actions.
        const USER: usize = 0;
        const NEW_GUARD: usize = 1;
        let now = Timestamp::now();
        let index_key = IndexKey::user(user.id, email);
        let change = change(changes, now)
            .set("email", string(email.as_str()))
            .remove(EMAIL_VERIFIED)
            .set(schema::GSI1PK, string(index_key.pk))
            .require_version(Some(user.version));
        let actions = vec![
            change.into_action(&self.table, Key::user(user.id))?,
            self.table.put_new(guard_item(user.id, email)?)?,
            delete_guard(&self.table, user.id, &user.email)?,
        ];
        match transaction::write(&self.table, actions).await? {
            Outcome::Written => Ok(Some(user.changed(changes, email, now))),
            Outcome::Cancelled(failed) if failed.contains_key(&USER) => Ok(None),
            Outcome::Cancelled(mut failed) => match failed.remove(&NEW_GUARD).flatten() {
                // Otherwise it is this user's own, from a change in between.
                Some(guard) if guard.get("userId") != Some(&string(user.id)) => {
                    Err(Error::EmailTaken)
                }
                _ => Ok(None),
            },
        }
    }

    /// Reads the current user, which must be at the expected version.
    async fn expect(&self, id: UserId, expected: Option<Version>) -> Result<User> {
        let user = self.find_now(id).await?.ok_or(Error::UserNotFound)?;
        match expected {
            Some(version) if version != user.version => {
                Err(Error::VersionMismatch { current: user.version })
            }
            _ => Ok(user),
        }
    }
}

impl EntityId for UserId {
    fn not_found() -> Error {
        Error::UserNotFound
    }
}

impl EntityId for SessionId {
    fn not_found() -> Error {
        Error::SessionNotFound
    }
}

/// What [`Users::role_of`] reads of a user.
#[derive(Deserialize)]
struct HasRole {
    role: Role,
}
