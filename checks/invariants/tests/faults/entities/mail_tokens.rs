//! Tokens of mails: to verify an email, and to set a new password. The shop's answers never show one, so all
//! that clients use were issued before the first request.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use storefront_core::schema::{self, Item, Key};
use storefront_core::{AccountMailKind, Email, MailTokens, Table, Timestamp, User, UserId, Users};
use storefront_testing::{Persona, evidence};

use super::passwords::PASSWORDS;
use super::users::UserChange;
use super::{EntityId, Operation, Snapshot, Write};
use crate::engine::checker::{Checker, Count, count};
use crate::engine::client::Client;
use crate::engine::history::{Exchange, Interval, Outcome};
use crate::engine::snapshot::{entity, expect_keys, text};

#[derive(Clone, Debug)]
pub(crate) enum MailTokenOperation {
    VerifyEmail { token: IssuedToken },
    ResetPassword { token: IssuedToken, password: String },
}

/// A token that was sent to a customer with the first email and the first password.
#[derive(Clone, Debug)]
pub(crate) struct IssuedToken {
    token: storefront_core::MailToken,
    /// The partition key of its item.
    key: String,
    mail: AccountMailKind,
    id: UserId,
}

/// A token as the table has it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MailToken {
    mail: AccountMailKind,
    user_id: UserId,
    email: Email,
    password_version: u64,
    expires_at: i64,
}

/// Issues two tokens of each kind to each of these.
pub(crate) async fn issue_tokens(table: &Table, customers: &[Persona]) -> Vec<IssuedToken> {
    let (users, mail_tokens) = (Users::new(table.clone()), MailTokens::new(table.clone()));
    let mut issued = Vec::new();
    for customer in customers {
        let to = users.recipient(customer.user_id).await.unwrap().unwrap();
        for mail in [AccountMailKind::Verification, AccountMailKind::PasswordReset].repeat(2) {
            let token = mail_tokens.issue(mail, &to, Timestamp::now()).await.unwrap();
            evidence::mail_token(token.expose());
            let key = Key::mail_token(&token).pk;
            issued.push(IssuedToken { token, key, mail, id: to.id });
        }
    }
    issued
}

impl Client {
    pub(super) async fn verify_email(&mut self) {
        let token = self.mail_token(AccountMailKind::Verification);
        self.use_mail_token(MailTokenOperation::VerifyEmail { token }).await;
    }

    pub(super) async fn reset_password(&mut self) {
        let token = self.mail_token(AccountMailKind::PasswordReset);
        let password = PASSWORDS[self.random.usize(..PASSWORDS.len())].to_owned();
        self.use_mail_token(MailTokenOperation::ResetPassword { token, password }).await;
    }

    /// Mostly one of this kind.
    fn mail_token(&mut self, mail: AccountMailKind) -> IssuedToken {
        let is_any = self.random.u8(..10) == 0;
        let tokens = self.scenario.mail_tokens.iter();
        let tokens: Vec<_> = tokens.filter(|token| is_any || token.mail == mail).collect();
        tokens[self.random.usize(..tokens.len())].clone()
    }

    /// Sometimes twice at once.
    async fn use_mail_token(&mut self, operation: MailTokenOperation) {
        if self.random.u8(..3) == 0 {
            tokio::join!(self.send_mail_token(&operation), self.send_mail_token(&operation));
        } else {
            self.send_mail_token(&operation).await;
        }
    }

    async fn send_mail_token(&self, operation: &MailTokenOperation) {
        let text = operation.token().token.expose();
        let request = match operation {
            MailTokenOperation::VerifyEmail { .. } => {
                self.shop.auth.post("/verifications").json(json!({ "token": text }))
            }
            MailTokenOperation::ResetPassword { password, .. } => {
                let body = json!({ "token": text, "password": password });
                self.shop.auth.post("/password-resets/confirm").json(body)
            }
        };
        let status = self.send(operation.clone(), request).await.status;
        if ![204, 422, 503].contains(&status) {
            self.report(format!("{operation:?} was answered {status}"));
        }
        if let MailTokenOperation::ResetPassword { token, password } = operation
            && status == 204
        {
            self.scenario.passwords.lock().unwrap().insert(token.id, password.clone());
        }
    }
}

impl Snapshot {
    pub(super) fn add_mail_token(&mut self, item: &Item) -> Result<(), String> {
        let pk = text(item, schema::PK);
        if pk.strip_prefix("TOKEN#").is_none_or(|hash| hash.len() != 43) {
            return Err("is not in the partition of a token's hash".to_owned());
        }
        expect_keys(item, Key { pk: pk.clone(), sk: "METADATA".to_owned() }, None)?;
        self.mail_tokens.insert(pk, entity(item)?);
        Ok(())
    }
}

impl Checker<'_> {
    pub(super) fn check_mail_tokens(&self, violations: &mut Vec<String>) {
        self.check_used_tokens(violations);
        for (interval, exchange) in self.intervals() {
            if let Operation::MailToken(operation) = &exchange.operation {
                self.check_answer_to_token(operation, interval, exchange, violations);
            }
        }
        for (id, user) in &self.after.users {
            self.check_password_version(*id, user, violations);
            self.check_email_verified(*id, user, violations);
        }
    }

    /// A token works at most once, and is deleted by that and by nothing else.
    fn check_used_tokens(&self, violations: &mut Vec<String>) {
        let (before, after) = (&self.before.mail_tokens, &self.after.mail_tokens);
        for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let uses = self.uses(|operation| operation.token().key == *key);
            if uses.acknowledged > 1 {
                violations.push(format!("{key} was used {} times", uses.acknowledged));
            }
            match after.get(key) {
                None if uses.acknowledged + uses.unknown == 0 => {
                    violations.push(format!("{key} is missing, and nobody used it"));
                }
                Some(_) if uses.acknowledged > 0 => {
                    violations.push(format!("{key} was used, but still exists"));
                }
                Some(token) if before.get(key) != Some(token) => {
                    violations.push(format!("{key} was not issued so: {token:?}"));
                }
                _ => {}
            }
        }
    }

    /// A token works if its user has the email and the password that it was issued for, and only then.
    fn check_answer_to_token(
        &self,
        operation: &MailTokenOperation,
        interval: Interval,
        exchange: &Exchange,
        violations: &mut Vec<String>,
    ) {
        let token = operation.token();
        let email = self.before.users[&token.id].email.as_str();
        let emails = self.possible_emails(token.id, interval);
        let is_fit = operation.is_fit();
        match exchange.outcome() {
            Outcome::Acknowledged => {
                let has_email = emails.iter().any(|possible| possible == email);
                if !is_fit || !has_email || self.was_deleted(token.id, interval) {
                    violations.push(format!("{operation:?} worked, for one of {emails:?}"));
                }
                if operation.password().is_some() && self.had_new_password(token.id, interval) {
                    violations.push(format!("{operation:?} worked after a new password"));
                }
            }
            Outcome::Rejected if exchange.answer.status == 422 => {
                let may_be_used = self.is_begun(interval, exchange, |other| match other {
                    Operation::MailToken(other) => other.token().key == token.key,
                    _ => false,
                });
                let may_have_new_password = operation.password().is_some()
                    && self.is_begun(interval, exchange, |other| sets_password(other, token.id));
                let may_be_deleted = self.may_be_deleted(EntityId::User(token.id));
                let may_be_refused =
                    !is_fit || may_be_used || may_have_new_password || may_be_deleted;
                if emails == [email] && !may_be_refused {
                    violations.push(format!("{operation:?} was refused"));
                }
            }
            _ => {}
        }
    }

    /// A password's version counts each change of it, by whatever means, and so does the epoch of sessions:
    /// nothing else ends them all here. All tokens are for the first password, so one of them sets a new one.
    fn check_password_version(&self, id: UserId, user: &User, violations: &mut Vec<String>) {
        let resets = self.uses(|reset| reset.token().id == id && reset.password().is_some());
        if resets.acknowledged > 1 {
            violations.push(format!("{} tokens set a new password of {id}", resets.acknowledged));
        }
        let changes = self.count(|operation| sets_password(operation, id));
        let (min, max) = (changes.acknowledged, changes.acknowledged + changes.unknown);
        let (version, epoch) = (user.password_version, user.session_epoch);
        if !(min..=max).contains(&version) {
            violations.push(format!("user {id} has password {version}, not {min} to {max}"));
        }
        if epoch != version {
            violations.push(format!("user {id} has password {version}, but epoch {epoch}"));
        }
    }

    /// Only a user's first email can be verified here, and nobody gets it again who has changed it.
    fn check_email_verified(&self, id: UserId, user: &User, violations: &mut Vec<String>) {
        let has_first_email =
            self.before.users.get(&id).is_some_and(|before| before.email == user.email);
        let uses = self.uses(|operation| operation.token().id == id);
        let may_be_verified = has_first_email && uses.acknowledged + uses.unknown > 0;
        let must_be_verified = has_first_email && uses.acknowledged > 0;
        if user.email_verified && !may_be_verified {
            violations.push(format!("user {id} has a verified email, which nobody verified"));
        }
        if !user.email_verified && must_be_verified {
            violations.push(format!("user {id} has verified the email, but it is not"));
        }
    }

    /// How many of these uses of a token there were that may work.
    fn uses(&self, is_meant: impl Fn(&MailTokenOperation) -> bool) -> Count {
        self.count(|operation| match operation {
            Operation::MailToken(operation) => operation.is_fit() && is_meant(operation),
            _ => false,
        })
    }

    fn count(&self, is_meant: impl Fn(&Operation) -> bool) -> Count {
        let mut counts = count(self.exchanges, |operation| is_meant(operation).then_some(()));
        counts.remove(&()).unwrap_or_default()
    }

    /// Whether another such request that may have had its effect was sent before this one was answered.
    fn is_begun(
        &self,
        interval: Interval,
        exchange: &Exchange,
        is_meant: impl Fn(&Operation) -> bool,
    ) -> bool {
        self.exchanges.iter().any(|other| {
            !std::ptr::eq(other, exchange)
                && other.sent_at <= interval.to
                && other.outcome() != Outcome::Rejected
                && is_meant(&other.operation)
        })
    }

    /// Whether such a request was acknowledged before the interval began.
    fn is_done(&self, interval: Interval, is_meant: impl Fn(&Operation) -> bool) -> bool {
        self.intervals().any(|(other, exchange)| {
            other.to < interval.from
                && exchange.outcome() == Outcome::Acknowledged
                && is_meant(&exchange.operation)
        })
    }

    fn had_new_password(&self, id: UserId, interval: Interval) -> bool {
        self.is_done(interval, |operation| sets_password(operation, id))
    }

    fn was_deleted(&self, id: UserId, interval: Interval) -> bool {
        self.is_done(interval, |operation| {
            let write = operation.write();
            write.is_some_and(|write| write.is_deletion && write.entity == EntityId::User(id))
        })
    }
}

impl MailTokenOperation {
    fn token(&self) -> &IssuedToken {
        let (Self::VerifyEmail { token } | Self::ResetPassword { token, .. }) = self;
        token
    }

    /// Whether the token is for this.
    fn is_fit(&self) -> bool {
        self.token().mail
            == match self {
                Self::VerifyEmail { .. } => AccountMailKind::Verification,
                Self::ResetPassword { .. } => AccountMailKind::PasswordReset,
            }
    }

    fn password(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { .. } => None,
            Self::ResetPassword { password, .. } => Some(password),
        }
    }

    pub(super) fn user_change(&self) -> (UserId, UserChange) {
        let password = self.password().map(ToOwned::to_owned);
        (self.token().id, UserChange { password, ..UserChange::default() })
    }

    pub(super) fn write(&self) -> Write {
        let entity = EntityId::User(self.token().id);
        Write { entity, is_deletion: false, expected_version: None }
    }
}

fn sets_password(operation: &Operation, id: UserId) -> bool {
    let change = operation.user_change();
    change.is_some_and(|(changed, change)| changed == id && change.password.is_some())
}

impl From<MailTokenOperation> for Operation {
    fn from(operation: MailTokenOperation) -> Self {
        Self::MailToken(operation)
    }
}
