//! Tokens of mails: to verify an email, to set a new password, and to register. The shop's answers never show
//! one, so the set-up issues those that scripts use.

use std::fmt;

use proptest::prelude::*;
use serde_json::{Value, json};
use storefront_core::schema::Key;
use storefront_core::{AccountMailKind, Recipient, Role, UserId};
use storefront_testing::Request;

use super::users::NEW_NAME;
use super::values::password;
use super::{Focus, Model, Operation};
use crate::engine::operation::{Call, Client, EntityOperation};
use crate::engine::response::Response;
use crate::engine::script::{NONEXISTENT, Nth};
use crate::engine::table::{ANY_VALUE, TableItems, expected_item};

/// See [`INITIAL`].
pub(crate) type TokenRef = Nth<'t'>;

/// The tokens that exist from the start, each with its user. `u1` has those with even numbers, `u2` the others:
/// [`Focus`] relies on that.
pub(crate) const INITIAL: [(AccountMailKind, usize); 8] = [
    (AccountMailKind::PasswordReset, 1),
    (AccountMailKind::PasswordReset, 2),
    (AccountMailKind::Verification, 1),
    (AccountMailKind::Verification, 2),
    (AccountMailKind::PasswordReset, 1),
    (AccountMailKind::PasswordReset, 2),
    (AccountMailKind::Verification, 1),
    (AccountMailKind::Verification, 2),
];

/// The registrations that wait from the start, by the number of their email, which nobody has then. Their tokens
/// follow those of users.
pub(crate) const REGISTRATIONS: [u8; 3] = [3, 3, 4];

/// A token that the shop never issued.
const UNKNOWN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[derive(Clone)]
pub(crate) enum MailTokenOperation {
    VerifyEmail { token: TokenRef },
    ResetPassword { token: TokenRef, password: u8 },
}

/// A token as the model has it.
#[derive(Clone)]
pub(crate) struct MailToken {
    token: String,
    /// The partition key of its item.
    key: String,
    mail: AccountMailKind,
    user: UserId,
    email: String,
    password_version: u64,
    is_used: bool,
}

pub(crate) fn operations() -> impl Strategy<Value = Operation> {
    use MailTokenOperation::{ResetPassword, VerifyEmail};
    let registration = (8..11_u8).prop_map(Nth);
    let verify = prop_oneof![2 => token(2), 1 => registration];
    let verify = verify.prop_map(|token| VerifyEmail { token });
    let reset = (token(0), 0..2_u8).prop_map(|(token, password)| ResetPassword { token, password });
    prop_oneof![2 => verify, 3 => reset].prop_map(Operation::MailToken)
}

/// Mostly one of a kind, whose first number is given; also one of the other kind.
fn token(first: u8) -> impl Strategy<Value = TokenRef> {
    prop_oneof![
        5 => first..first + 2,
        3 => first + 4..first + 6,
        1 => 0..8_u8,
        1 => Just(NONEXISTENT),
    ]
    .prop_map(Nth)
}

impl EntityOperation for MailTokenOperation {
    /// Nobody: whoever has the token has read the mail.
    fn caller(&self, known: &Model) -> UserId {
        known.users.nth(Nth(0))
    }

    fn request(&self, client: &Client<'_>) -> Request {
        let auth = &client.shop.auth;
        match *self {
            Self::VerifyEmail { token } => {
                let body = json!({ "token": client.known.text_of(token) });
                auth.post("/verifications").json(body)
            }
            Self::ResetPassword { token, password: number } => {
                let token = client.known.text_of(token);
                let body = json!({ "token": token, "password": password(number) });
                auth.post("/password-resets/confirm").json(body)
            }
        }
    }

    fn perform(&self, model: &mut Model, _: &Call<'_>) -> Response {
        let done = match *self {
            Self::VerifyEmail { token } => model.verify_email(token),
            Self::ResetPassword { token, password } => model.reset_password(token, password),
        };
        match done {
            Some(()) => Response::without_version(204, Value::Null),
            None => Response::problem(422, "mail_token_invalid"),
        }
    }

    fn rejects_deleted_caller(&self, _: &Call<'_>) -> bool {
        false
    }

    /// On the token of the same kind that the user has, or on one of the registrations.
    fn focus_on(&mut self, focus: &Focus) {
        let (Self::VerifyEmail { token } | Self::ResetPassword { token, .. }) = self;
        if token.0 != NONEXISTENT {
            token.0 = token.0 / 2 * 2 + (focus.user.0 - 1);
        }
    }
}

impl Model {
    pub(crate) fn add_mail_token(
        &mut self,
        mail: AccountMailKind,
        to: &Recipient,
        token: &storefront_core::MailToken,
    ) {
        self.mail_tokens.push(MailToken {
            token: token.expose().to_owned(),
            key: Key::mail_token(token).pk,
            mail,
            user: to.id,
            email: to.email.as_str().to_owned(),
            password_version: to.password_version,
            is_used: false,
        });
    }

    fn mail_token(&self, nth: TokenRef) -> Option<&MailToken> {
        self.mail_tokens.get(usize::from(nth.0))
    }

    fn text_of(&self, nth: TokenRef) -> &str {
        self.mail_token(nth).map_or(UNKNOWN, |token| &token.token)
    }

    /// Returns `None` if the token does not work. Then nothing changes.
    fn verify_email(&mut self, nth: TokenRef) -> Option<()> {
        if let Some(registration) = self.unused(nth, AccountMailKind::Registration) {
            return self.finish_registration(nth, registration.clone());
        }
        let token = self.unused(nth, AccountMailKind::Verification)?.clone();
        let user = self.users.get_mut(token.user)?;
        if user.email != token.email {
            return None;
        }
        user.email_verified = true;
        user.version += 1;
        self.use_up(nth)
    }

    /// Returns `None` if somebody has the email by now. Then nothing changes.
    fn finish_registration(&mut self, nth: TokenRef, registration: MailToken) -> Option<()> {
        let MailToken { user, email, .. } = registration;
        if self.owner_of(&email).is_some() {
            return None;
        }
        self.add_user_with(user, email, 0, Role::User);
        self.users.get_mut(user)?.email_verified = true;
        self.use_up(nth)
    }

    /// Returns `None` if the token does not work. Then nothing changes.
    fn reset_password(&mut self, nth: TokenRef, password: u8) -> Option<()> {
        let token = self.unused(nth, AccountMailKind::PasswordReset)?.clone();
        let user = self.users.get_mut(token.user)?;
        if user.email != token.email || user.password_version != token.password_version {
            return None;
        }
        user.set_password(password, None);
        user.email_verified = true;
        user.version += 1;
        self.use_up(nth)
    }

    fn unused(&self, nth: TokenRef, mail: AccountMailKind) -> Option<&MailToken> {
        self.mail_token(nth).filter(|token| token.mail == mail && !token.is_used)
    }

    fn use_up(&mut self, nth: TokenRef) -> Option<()> {
        self.mail_tokens.get_mut(usize::from(nth.0))?.is_used = true;
        Some(())
    }

    pub(super) fn add_mail_token_items(&self, items: &mut TableItems) {
        for token in self.mail_tokens.iter().filter(|token| !token.is_used) {
            let (user, version) = (token.user.to_string(), token.password_version.to_string());
            let attributes = [
                ("mail", token.mail.as_str()),
                ("userId", &user),
                ("email", &token.email),
                ("passwordVersion", &version),
                ("expiresAt", ANY_VALUE),
            ];
            items.extend([expected_item("MailToken", &token.key, "METADATA", &attributes)]);
            if token.mail == AccountMailKind::Registration {
                let key = Key::registration(token.user).pk;
                let attributes = [
                    ("id", &*user),
                    ("email", &token.email),
                    ("name", NEW_NAME),
                    ("passwordHash", ANY_VALUE),
                    ("expiresAt", ANY_VALUE),
                ];
                items.extend([expected_item("Registration", &key, "METADATA", &attributes)]);
            }
        }
    }
}

impl From<MailTokenOperation> for Operation {
    fn from(operation: MailTokenOperation) -> Self {
        Self::MailToken(operation)
    }
}

impl fmt::Debug for MailTokenOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::VerifyEmail { token } => write!(f, "verify an email with {token:?}"),
            Self::ResetPassword { token, password } => {
                write!(f, "reset a password to pw{password} with {token:?}")
            }
        }
    }
}
