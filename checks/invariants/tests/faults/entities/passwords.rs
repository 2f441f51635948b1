//! Logging in, and confirming changes with the password.

use std::collections::BTreeSet;

use serde::Deserialize;
use storefront_core::schema::{self, Item, Key};
use storefront_core::{MAX_LOGIN_FAILURES, Source, UserId};
use storefront_invariants::{PASSWORD, Shop};
use storefront_testing::faults::{FaultyDynamoDb, Plan};
use storefront_testing::{Answer, SOURCE};
use tokio::time::Instant;

use super::users::UserOperation;
use super::{EntityId, Operation, Snapshot};
use crate::engine::checker::Checker;
use crate::engine::client::Client;
use crate::engine::history::{Exchange, Interval, Outcome};
use crate::engine::schedule::{Scenario, UNCHANGED_EMAIL};
use crate::engine::snapshot::{entity, expect_keys, partition_email, text};

/// A bcrypt hash of [`PASSWORD`], as from another shop. All users start with it, so that their first
/// log-in replaces it while other requests are in progress.
pub(crate) const BCRYPT_HASH: &str = "$2a$04$Zmu/A0LfHkALJdrsCoPDBOxFKGtBD5YiZ56i.Ro41j8RH5PcjYQqq";

/// The passwords that customers have and change to.
pub(super) const PASSWORDS: [&str; 3] = [PASSWORD, "zwölf Boxkämpfer", "a third passphrase"];

pub(super) const WRONG_PASSWORD: &str = "nobody's password";

const UNREGISTERED_EMAIL: &str = "nobody@example.com";

#[derive(Deserialize)]
struct LoginAttempts {
    #[serde(default)]
    attempts: Vec<String>,
}

impl Client {
    /// As the user whose log-in always works, with an unregistered email, or as a customer with the
    /// password that they should have or a wrong one.
    pub(super) async fn log_in(&mut self) {
        match self.random.u8(..4) {
            0 => {
                self.log_in_as(UNCHANGED_EMAIL, PASSWORD).await;
            }
            1 => {
                self.log_in_as(UNREGISTERED_EMAIL, WRONG_PASSWORD).await;
            }
            which => {
                let customer = self.random.usize(..self.scenario.customers.len());
                let email = self.scenario.emails[customer].clone();
                let id = self.scenario.customers[customer].user_id;
                let password = match which {
                    2 => self.scenario.password_of(id),
                    _ => WRONG_PASSWORD.to_owned(),
                };
                self.log_in_as(&email, &password).await;
            }
        }
    }

    pub(super) async fn log_in_as(&self, email: &str, password: &str) -> Answer {
        let (sent_at, started) = (self.scenario.history.now(), Instant::now());
        let answer = self.shop.log_in(email, password).await;
        self.record(log_in(email, password), sent_at, started, &answer);
        if email == UNCHANGED_EMAIL && ![201, 503].contains(&answer.status) {
            self.report(format!("the right password was answered {}", answer.status));
        }
        answer
    }
}

impl Scenario {
    /// The password with which the customer should be able to log in.
    pub(super) fn password_of(&self, id: UserId) -> String {
        let passwords = self.passwords.lock().unwrap();
        passwords.get(&id).map_or(PASSWORD, String::as_str).to_owned()
    }

    /// Logs in with each password, without faults, as everyone whose password was to be changed. So
    /// the history shows which password they have in the end.
    pub(crate) async fn try_all_passwords(&self, dynamodb: &FaultyDynamoDb) {
        let shop = Shop::over(&dynamodb.table(&Plan::none()));
        let users = Snapshot::of(dynamodb.items()).users;
        let exchanges = self.history.exchanges();
        let changed: BTreeSet<UserId> = exchanges
            .iter()
            .filter_map(|exchange| exchange.operation.user_change())
            .filter_map(|(id, change)| change.password.is_some().then_some(id))
            .collect();
        for user in changed.iter().filter_map(|id| users.get(id)) {
            for password in PASSWORDS {
                let email = user.email.as_str();
                let sent_at = self.history.now();
                let answer = shop.log_in(email, password).await;
                self.history.record(log_in(email, password).into(), sent_at, &answer);
            }
        }
    }
}

impl Snapshot {
    pub(super) fn add_login_attempts(&mut self, item: &Item) -> Result<(), String> {
        let attempts = attempts(item)?;
        let email = partition_email(item)?;
        let version = text(item, schema::SK).split('#').nth(1).and_then(|part| part.parse().ok());
        let version = version.ok_or("names no version of a password")?;
        let source = SOURCE.parse().ok().and_then(Source::of);
        expect_keys(item, Key::login_attempts(&email, version, source.as_ref()), None)?;
        if attempts > MAX_LOGIN_FAILURES {
            return Err(format!("has {attempts} failed log-ins, past the limit"));
        }
        *self.login_failures.entry(email.as_str().to_owned()).or_default() += attempts;
        Ok(())
    }

    /// Only the form is checked. All attempts of these tests come from one source, whose limit is the lower one.
    pub(super) fn add_email_attempts(item: &Item) -> Result<(), String> {
        partition_email(item)?;
        attempts(item).map(drop)
    }

    pub(super) fn add_source_attempts(item: &Item) -> Result<(), String> {
        let source = SOURCE.parse().ok().and_then(Source::of).ok_or("is of no source")?;
        expect_keys(item, Key::source_attempts(&source), None)?;
        attempts(item).map(drop)
    }

    pub(super) fn add_known_source(item: &Item) -> Result<(), String> {
        let source = SOURCE.parse().ok().and_then(Source::of).ok_or("is of no source")?;
        let version = text(item, schema::SK).split('#').nth(1).and_then(|part| part.parse().ok());
        let version = version.ok_or("names no version of a password")?;
        expect_keys(item, Key::known_source(&partition_email(item)?, version, &source), None)
    }
}

impl Checker<'_> {
    pub(super) fn check_passwords(&self, violations: &mut Vec<String>) {
        for (interval, exchange) in self.intervals() {
            match &exchange.operation {
                Operation::User(UserOperation::LogIn { email, password }) => {
                    self.check_log_in(exchange, interval, email, password, violations);
                }
                Operation::User(UserOperation::Change { id, change, .. }) => {
                    if let Some(password) = &change.current_password {
                        self.check_confirmation(exchange, interval, *id, password, violations);
                    }
                }
                _ => {}
            }
        }
        self.check_failure_counts(violations);
    }

    /// The right password logs in, and no other does.
    fn check_log_in(
        &self,
        exchange: &Exchange,
        interval: Interval,
        email: &str,
        password: &str,
        violations: &mut Vec<String>,
    ) {
        let answer = &exchange.answer;
        if exchange.outcome() == Outcome::Acknowledged {
            let user = &answer.body["user"];
            let Some(id) = user["id"].as_str().and_then(|id| id.parse().ok()) else {
                violations.push(format!("a log-in was answered without a user: {}", answer.body));
                return;
            };
            let passwords = self.possible_passwords(id, interval);
            if !passwords.iter().any(|right| right == password) || user["email"] != email {
                violations.push(format!(
                    "{email} logged in with {password:?} as {user}, whose password was one of \
                     {passwords:?}"
                ));
            }
        } else if answer.status == 401 {
            let mut users = self.before.users.keys();
            let owner = users.find(|id| self.possible_emails(**id, interval) == [email]);
            let Some(id) = owner.filter(|id| !self.may_be_deleted(EntityId::User(**id))) else {
                return;
            };
            if self.possible_passwords(*id, interval) == [password] {
                violations.push(format!("{email} was refused the right password {password:?}"));
            }
        }
    }

    /// The user's own password confirms a change, and no other does.
    fn check_confirmation(
        &self,
        exchange: &Exchange,
        interval: Interval,
        id: UserId,
        password: &str,
        violations: &mut Vec<String>,
    ) {
        let (passwords, operation) = (self.possible_passwords(id, interval), &exchange.operation);
        if exchange.outcome() == Outcome::Acknowledged
            && !passwords.iter().any(|right| right == password)
        {
            violations.push(format!("{password:?} confirmed {operation:?}, not {passwords:?}"));
        }
        // Of a user who is deleted at the same time, an earlier change may have been made, although its
        // answer was that there is no such user.
        let is_certain = passwords == [password] && !self.may_be_deleted(EntityId::User(id));
        if exchange.answer.body["code"] == "wrong_password" && is_certain {
            violations.push(format!("the right password did not confirm {operation:?}"));
        }
    }

    /// Each refused attempt counts, once, until an attempt that succeeds resets the count.
    fn check_failure_counts(&self, violations: &mut Vec<String>) {
        let tried = self.exchanges.iter().filter_map(|exchange| match &exchange.operation {
            Operation::User(UserOperation::LogIn { email, .. }) => Some(email.as_str()),
            _ => None,
        });
        let counted = self.after.login_failures.keys().map(String::as_str);
        for email in tried.chain(counted).collect::<BTreeSet<_>>() {
            let count = self.after.login_failures.get(email).copied().unwrap_or_default();
            let (min, max) = self.possible_failures(email);
            if !(min..=max).contains(&count) {
                violations.push(format!("{email} has {count} failed log-ins, not {min} to {max}"));
            }
        }
    }

    /// The minimum and maximum of an email's failures.
    fn possible_failures(&self, email: &str) -> (usize, usize) {
        let (mut refused, mut others, mut may_be_reset) = (0, 0, false);
        for (interval, exchange) in self.intervals() {
            if exchange.answer.body["code"] == "too_many_logins" {
                continue;
            }
            match &exchange.operation {
                Operation::User(UserOperation::LogIn { email: tried, .. }) if tried == email => {
                    match exchange.answer.status {
                        401 => refused += 1,
                        503 => others += 1,
                        // A success resets the count, its own attempt included, unless that write
                        // fails.
                        _ => {
                            others += 1;
                            may_be_reset = true;
                        }
                    }
                }
                Operation::User(UserOperation::Change { id, change, .. })
                    if change.current_password.is_some()
                        && self.possible_emails(*id, interval).iter().any(|had| had == email) =>
                {
                    others += 1;
                    may_be_reset = true;
                }
                _ => {}
            }
        }
        (if may_be_reset { 0 } else { refused }, refused + others)
    }
}

fn attempts(item: &Item) -> Result<usize, String> {
    let LoginAttempts { attempts } = entity(item)?;
    Ok(attempts.len())
}

fn log_in(email: &str, password: &str) -> UserOperation {
    UserOperation::LogIn { email: email.to_owned(), password: password.to_owned() }
}
