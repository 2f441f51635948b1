use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Email, Timestamp, UserId};

/// What a mail about an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum AccountMailKind {
    Verification,
    PasswordReset,
    Registration,
}

impl AccountMailKind {
    /// The name in keys, messages, metrics and the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verification => "verification",
            Self::PasswordReset => "password_reset",
            Self::Registration => "registration",
        }
    }
}

/// A request for a mail about an account, as the queue has it.
///
/// It has no token: the token is made when the mail is sent, and is only in the mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountMail {
    /// The same for each delivery of the message, so that it causes one mail.
    pub id: Uuid,
    /// When it was asked for. Nobody wants the mail much later.
    pub requested_at: Timestamp,
    /// Which mail, and to whom.
    #[serde(flatten)]
    pub mail: RequestedMail,
}

/// Which mail somebody has asked for, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mail", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum RequestedMail {
    /// To this user, to verify the email.
    Verification {
        /// The user.
        user_id: UserId,
    },
    /// To whoever has this email, to set a new password. Nobody knows yet whether anybody has.
    PasswordReset {
        /// The email.
        email: Email,
    },
    /// To whoever wants to register, to verify the email first.
    Registration {
        /// The id of the registration, which will be the user's.
        user_id: UserId,
    },
}

impl AccountMail {
    /// A request that is made now.
    #[must_use]
    pub fn new(mail: RequestedMail) -> Self {
        Self { id: Uuid::now_v7(), requested_at: Timestamp::now(), mail }
    }

    /// What the mail is for.
    #[must_use]
    pub const fn kind(&self) -> AccountMailKind {
        match self.mail {
            RequestedMail::Verification { .. } => AccountMailKind::Verification,
            RequestedMail::PasswordReset { .. } => AccountMailKind::PasswordReset,
            RequestedMail::Registration { .. } => AccountMailKind::Registration,
        }
    }
}
