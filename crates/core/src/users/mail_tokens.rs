//! Tokens that mails carry: to verify an email, and to set a new password.
//!
//! Whoever presents a token has read the mail, and so has the email. The table knows only the hash of a
//! token, so nobody who reads the table can use one. A token works once, for a time, and as long as its
//! user has that email and, for a new password, still the password that was forgotten.

mod token;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::counter::Counter;
use super::user::{EMAIL_VERIFIED, change};
use super::{AccountMailKind, PasswordHash, Recipient, User, UserChanges, Users};
use crate::access_patterns::{AccessPattern, pattern};
use crate::change::{Change, boolean, number, string};
use crate::schema::{self, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, Outcome};
use crate::{Email, Error, Result, Table, Timestamp, UserId, retry};

pub use token::MailToken;

/// How long a token verifies an email.
pub const VERIFICATION_LIFETIME: Duration = Duration::from_hours(24);

/// How long a token sets a new password.
pub const RESET_LIFETIME: Duration = Duration::from_hours(1);

/// How many mails of one kind an email gets within [`ACCOUNT_MAILS_WINDOW`], whoever asks for them. Each
/// kind has its own: a stranger who asks for one must not use up the other.
pub const MAX_ACCOUNT_MAILS: usize = 3;

/// How long mails about an account count, starting from the first.
pub const ACCOUNT_MAILS_WINDOW: Duration = Duration::from_hours(1);

/// The tokens of mails, and how many mails about its account an email may get.
#[derive(Clone, Debug)]
pub struct MailTokens {
    pub(super) table: Table,
}

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Grant {
    mail: AccountMailKind,
    /// Of a registration: the id that the user will have.
    pub(super) user_id: UserId,
    pub(super) email: Email,
    /// A token for a new password works for the old one that was forgotten, and so only one of several.
    password_version: u64,
    /// In seconds since 1970.
    expires_at: i64,
}

/// A token for a new password, which was valid when it was looked up.
#[derive(Clone, Debug)]
pub struct PasswordReset {
    key: Key,
    grant: Grant,
}

impl AccountMailKind {
    /// How long the mail's token is valid.
    #[must_use]
    pub const fn lifetime(self) -> Duration {
        match self {
            Self::Verification | Self::Registration => VERIFICATION_LIFETIME,
            Self::PasswordReset => RESET_LIFETIME,
        }
    }
}

impl MailTokens {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern("count a mail about an account", "1 UpdateItem").writes(1.0),
        pattern("keep the token of a mail, by its hash", "1 PutItem").writes(1.0),
        pattern("verify an email", "1 GetItem + 1 TransactWriteItems (User, MailToken)")
            .reads(1.0)
            .writes(5.0),
        pattern("look up a token for a new password", "1 GetItem, strongly consistent").reads(1.0),
        pattern(
            "set a new password by mail",
            "1 GetItem of the user, strongly consistent + 1 TransactWriteItems (User, MailToken)",
        )
        .reads(1.0)
        .writes(5.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Counts a mail, once for each `id`. Returns whether it may be sent.
    pub async fn admit(&self, email: &Email, mail: AccountMailKind, id: &str) -> Result<bool> {
        let counter = Counter {
            item_type: ItemType::AccountMails,
            key: Key::account_mails(email, mail),
            max: MAX_ACCOUNT_MAILS,
            window: ACCOUNT_MAILS_WINDOW,
        };
        match counter.count(&self.table, id).await {
            Ok(()) => Ok(true),
            Err(Error::TooManyLogins { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a token for a mail to this user, which is valid from now on.
    pub async fn issue(
        &self,
        mail: AccountMailKind,
        to: &Recipient,
        now: Timestamp,
    ) -> Result<MailToken> {
        let token = MailToken::random()?;
        let grant = Grant {
            mail,
            user_id: to.id,
            email: to.email.clone(),
            password_version: to.password_version,
            expires_at: now.as_seconds() + mail.lifetime().as_secs().cast_signed(),
        };
        let item = schema::item(ItemType::MailToken, Key::mail_token(&token), None, &grant)?;
        // Nobody else has this token, so a second try writes the same.
        let put = self.table.client.put_item().table_name(&self.table.name);
        put.set_item(Some(item)).send().await?;
        Ok(token)
    }

    /// Verifies the email that a token was sent to, and registers the user if that has waited for it.
    /// [`Error::MailTokenInvalid`] if the token's user has another email by now.
    pub async fn verify_email(&self, token: &MailToken) -> Result<()> {
        let key = Key::mail_token(token);
        let grant = self.find(&key).await?;
        match grant.mail {
            AccountMailKind::Verification => self.verify(key, &grant).await,
            AccountMailKind::Registration => self.finish_registration(key, &grant).await,
            AccountMailKind::PasswordReset => Err(Error::MailTokenInvalid),
        }
    }

    async fn verify(&self, key: Key, grant: &Grant) -> Result<()> {
        let verified = Change::at(Timestamp::now())
            .set(EMAIL_VERIFIED, boolean(true))
            .require("email", string(grant.email.as_str()));
        let actions = vec![
            verified.into_action(&self.table, Key::user(grant.user_id))?,
            grant.used().into_delete(&self.table, key)?,
        ];
        match transaction::write(&self.table, actions).await? {
            Outcome::Written => Ok(()),
            Outcome::Cancelled(_) => Err(Error::MailTokenInvalid),
        }
    }

    /// Looks up a token for a new password; [`Error::MailTokenInvalid`] if there is none. So nobody makes
    /// the shop hash a password without one.
    pub async fn find_reset(&self, token: &MailToken) -> Result<PasswordReset> {
        let key = Key::mail_token(token);
        let grant = self.find(&key).await?;
        match grant.mail {
            AccountMailKind::PasswordReset => Ok(PasswordReset { key, grant }),
            _ => Err(Error::MailTokenInvalid),
        }
    }

    /// Sets a new password, and ends all sessions. Returns whose it is.
    ///
    /// The failures of log-ins count for one version of the password, so this clears them. It verifies the
    /// email, too. [`Error::MailTokenInvalid`] if the token was used, or the user has another email or another
    /// password by now.
    pub async fn reset_password(&self, reset: PasswordReset, hash: PasswordHash) -> Result<UserId> {
        let PasswordReset { key, grant } = reset;
        let changes = UserChanges { password_hash: Some(hash), ..UserChanges::default() };
        let users = Users::new(self.table.clone());
        retry::while_outdated(|| async {
            let user = users.find_now(grant.user_id).await?;
            let user = user.filter(|user| grant.is_for(user)).ok_or(Error::MailTokenInvalid)?;
            let new = change(&changes, Timestamp::now())
                .set(EMAIL_VERIFIED, boolean(true))
                .require("version", number(user.version));
            let actions = vec![
                new.into_action(&self.table, Key::user(user.id))?,
                grant.used().into_delete(&self.table, key.clone())?,
            ];
            match transaction::write(&self.table, actions).await? {
                Outcome::Written => Ok(Some(user.id)),
                Outcome::Cancelled(failed) if failed.contains_key(&TOKEN) => {
                    Err(Error::MailTokenInvalid)
                }
                Outcome::Cancelled(_) => Ok(None),
            }
        })
        .await
    }

    async fn find(&self, key: &Key) -> Result<Grant> {
        let found: Option<Grant> =
            self.table.get(ItemType::MailToken, key.clone(), Consistency::Strong).await?;
        // TTL deletes late.
        let now = Timestamp::now().as_seconds();
        let valid = found.filter(|grant| grant.expires_at > now);
        valid.ok_or(Error::MailTokenInvalid)
    }
}

/// The position of the token among the actions.
const TOKEN: usize = 1;

impl Grant {
    /// The token is used up, unless somebody else has used it.
    pub(super) fn used(&self) -> Change {
        Change::unseen().require("userId", string(self.user_id))
    }

    fn is_for(&self, user: &User) -> bool {
        user.email == self.email && user.password_version == self.password_version
    }
}
