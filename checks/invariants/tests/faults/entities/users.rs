use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use storefront_core::schema::{IndexKey, Item, Key};
use storefront_core::{Role, User, UserId};
use storefront_testing::Persona;
use tokio::time::Instant;

use super::passwords::{PASSWORDS, WRONG_PASSWORD};
use super::{EntityId, Operation, Snapshot, Write};
use crate::engine::checker::Checker;
use crate::engine::client::{Client, with_if_match};
use crate::engine::history::{Exchange, Interval, Outcome};
use crate::engine::snapshot::{check_version_is_positive, entity, expect_keys, partition_email};

#[derive(Clone, Debug)]
pub(crate) enum UserOperation {
    /// With the password that all users have at first.
    Register {
        email: String,
    },
    LogIn {
        email: String,
        password: String,
    },
    Change {
        id: UserId,
        expected_version: Option<u64>,
        change: UserChange,
    },
    Delete {
        id: UserId,
        expected_version: Option<u64>,
    },
}

/// The new values of the fields that are checked. A change of the name has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserChange {
    pub(crate) email: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) role: Option<Role>,
    /// The password with which users confirm a change of their own.
    pub(crate) current_password: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UniqueEmail {
    user_id: UserId,
}

impl Client {
    pub(super) async fn register(&mut self) {
        let email = self.wanted_email();
        let (sent_at, started) = (self.scenario.history.now(), Instant::now());
        let answer = self.shop.register(&email).await;
        self.record(UserOperation::Register { email }, sent_at, started, &answer);
    }

    /// Changes the name, or the email to one that other clients also want.
    pub(super) async fn change_user(&mut self) {
        let id = self.customer().user_id;
        let mut change = UserChange::default();
        let body = if self.random.bool() {
            json!({ "name": "Zoë Kråkenström" })
        } else {
            let email = self.wanted_email();
            change.email = Some(email.clone());
            json!({ "email": email })
        };
        let expected_version = self.expected_user_version(id).await;
        let request = self.shop.users.patch(format!("/users/{id}")).json(body);
        let request = with_if_match(request.by(self.scenario.admin), expected_version);
        self.send(UserOperation::Change { id, expected_version, change }, request).await;
    }

    pub(super) async fn assign_role(&mut self) {
        // Rarely the member of staff: most other requests need one.
        let id = match self.random.u8(..6) {
            0 => self.scenario.staff.user_id,
            _ => self.customer().user_id,
        };
        let role = [Role::User, Role::Staff, Role::Admin][self.random.usize(..3)];
        let expected_version = self.expected_user_version(id).await;
        let request = self.shop.users.put(format!("/users/{id}/role")).by(self.scenario.admin);
        let request = request.json(json!({ "role": role.as_str() }));
        let request = with_if_match(request, expected_version);
        let change = UserChange { role: Some(role), ..UserChange::default() };
        self.send(UserOperation::Change { id, expected_version, change }, request).await;
    }

    /// Changes the client's own password, email or both, confirmed with the current password or a
    /// wrong one.
    pub(super) async fn change_oneself(&mut self) {
        let customer = self.customer();
        let id = customer.user_id;
        let current = if self.random.u8(..4) == 0 {
            WRONG_PASSWORD.to_owned()
        } else {
            self.scenario.password_of(id)
        };
        let mut body = json!({ "currentPassword": current });
        let mut change =
            UserChange { current_password: Some(current.clone()), ..UserChange::default() };
        if self.random.u8(..3) > 0 {
            let others: Vec<&str> = PASSWORDS.into_iter().filter(|new| *new != current).collect();
            let new = others[self.random.usize(..others.len())];
            body["password"] = new.into();
            change.password = Some(new.to_owned());
        }
        if change.password.is_none() || self.random.u8(..4) == 0 {
            let email = self.wanted_email();
            body["email"] = email.as_str().into();
            change.email = Some(email);
        }
        let password = change.password.clone();
        let expected_version = self.expected_user_version(id).await;
        let request = self.shop.users.patch("/users/me").json(body).by(customer);
        let request = with_if_match(request, expected_version);
        let operation = UserOperation::Change { id, expected_version, change };
        let answer = self.send(operation, request).await;
        if let Some(password) = password.filter(|_| answer.status == 200) {
            self.scenario.passwords.lock().unwrap().insert(id, password);
        }
    }

    pub(super) async fn delete_user(&mut self) {
        // The first customer is spared, so that there is always something to do.
        let others: &[Persona] = &self.scenario.customers[1..];
        let id = others[self.random.usize(..others.len())].user_id;
        let expected_version = self.expected_user_version(id).await;
        let request = self.shop.users.delete(format!("/users/{id}")).by(self.scenario.admin);
        let request = with_if_match(request, expected_version);
        self.send(UserOperation::Delete { id, expected_version }, request).await;
    }

    async fn expected_user_version(&mut self, id: UserId) -> Option<u64> {
        let read = self.shop.users.get(format!("/users/{id}")).by(self.scenario.admin);
        self.expected_version(read).await
    }

    pub(super) fn wanted_email(&mut self) -> String {
        format!("wanted-{}@example.com", self.random.u8(..4))
    }
}

impl Snapshot {
    pub(super) fn add_user(&mut self, item: &Item) -> Result<(), String> {
        let user: User = entity(item)?;
        let index_key = IndexKey::user(user.id, &user.email);
        expect_keys(item, Key::user(user.id), Some(index_key))?;
        self.users.insert(user.id, user);
        Ok(())
    }

    pub(super) fn add_unique_email(&mut self, item: &Item) -> Result<(), String> {
        let unique_email: UniqueEmail = entity(item)?;
        let email = partition_email(item)?;
        expect_keys(item, Key::unique_email(&email), None)?;
        self.unique_emails.insert(email.as_str().to_owned(), unique_email.user_id);
        Ok(())
    }

    /// Each user owns their email, and nobody owns another.
    pub(super) fn check_users(&self, violations: &mut Vec<String>) {
        for user in self.users.values() {
            let (id, email) = (user.id, user.email.as_str());
            match self.unique_emails.get(email) {
                None => violations.push(format!("user {id} has {email}, but does not own it")),
                Some(owner) if *owner != id => {
                    violations.push(format!("user {id} has {email}, which user {owner} owns"));
                }
                Some(_) => {}
            }
            check_version_is_positive(EntityId::User(id), user.version, violations);
        }
        for (email, owner) in &self.unique_emails {
            match self.users.get(owner) {
                None => violations.push(format!("user {owner} owns {email}, but does not exist")),
                Some(user) if user.email.as_str() != email => {
                    violations.push(format!("user {owner} owns {email}, but has another email"));
                }
                Some(_) => {}
            }
        }
    }
}

impl Checker<'_> {
    pub(super) fn check_users(&self, violations: &mut Vec<String>) {
        let registered = self.exchanges.iter().filter_map(|exchange| match exchange.operation {
            Operation::User(UserOperation::Register { .. }) => exchange.id::<UserId>(),
            _ => None,
        });
        let known: BTreeSet<UserId> = registered.chain(self.before.users.keys().copied()).collect();
        for id in &known {
            let version = self.after.users.get(id).map(|user| user.version);
            self.check_existence_and_version(EntityId::User(*id), version, violations);
        }
        self.check_unacknowledged_users(&known, violations);
        self.check_last_values(violations);
    }

    /// A user that no answer named comes from a registration with an unknown outcome. So a rejected
    /// registration leaves no user.
    fn check_unacknowledged_users(&self, known: &BTreeSet<UserId>, violations: &mut Vec<String>) {
        for user in self.after.users.values().filter(|user| !known.contains(&user.id)) {
            let may_have_registered = |exchange: &Exchange| {
                matches!(
                    &exchange.operation,
                    Operation::User(UserOperation::Register { email }) if email == user.email.as_str()
                ) && exchange.outcome() == Outcome::Unknown
            };
            if !self.exchanges.iter().any(may_have_registered) {
                violations.push(format!("user {} was registered, and nobody was told", user.id));
            }
        }
    }

    /// Each user has the email and the role that were last acknowledged.
    fn check_last_values(&self, violations: &mut Vec<String>) {
        let end = Interval::after(self.exchanges);
        for (id, user) in &self.after.users {
            let (email, emails) = (user.email.as_str(), self.possible_emails(*id, end));
            if !emails.is_empty() && !emails.iter().any(|possible| possible == email) {
                violations.push(format!("user {id} has {email}, not one of {emails:?}"));
            }
            let roles = self.possible_roles(*id, end);
            if !roles.contains(&user.role) {
                violations.push(format!("user {id} is {}, not one of {roles:?}", user.role));
            }
        }
    }
}

impl UserOperation {
    pub(super) fn write(&self) -> Option<Write> {
        let (id, is_deletion, expected_version) = match *self {
            Self::Register { .. } | Self::LogIn { .. } => return None,
            Self::Change { id, expected_version, .. } => (id, false, expected_version),
            Self::Delete { id, expected_version } => (id, true, expected_version),
        };
        Some(Write { entity: EntityId::User(id), is_deletion, expected_version })
    }
}

impl From<UserOperation> for Operation {
    fn from(operation: UserOperation) -> Self {
        Self::User(operation)
    }
}
