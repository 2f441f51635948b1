use serde_json::{Value, json};
use storefront_core::{Role, UserId};

use super::{
    Attempt, Context, MAX_FAILURES, Model, Seen, User, invalid_body, mismatch, misses, no_user,
};
use crate::script::{Address, Operation, UserFields, name};

/// What whoever registers here is called.
pub(crate) const NEW_NAME: &str = "Anna";

impl Model {
    /// Someone who is there from the start, with the first password.
    pub(crate) fn settle(&mut self, id: UserId, email: Address, role: Role) {
        self.add_user(id, email, 0, role);
    }

    /// Has log-ins of this email have failed.
    pub(crate) fn fail_log_ins(&mut self, email: Address, times: u32) {
        if times > 0 {
            self.failures.insert(email.normalised(), times);
        }
    }

    pub(super) fn register(&mut self, email: Address, password: u8, came: &Seen) -> Seen {
        if self.owner(&email.normalised()).is_some() {
            return Seen::problem(409, "email_taken");
        }
        let id = came.new_id(&self.known.users);
        self.add_user(id, email, password, Role::User);
        self.answer(201, id).at(format!("/users/{id}"))
    }

    pub(super) fn log_in(&mut self, email: Address, password: u8) -> Seen {
        let email = email.normalised();
        if self.is_locked(&email) {
            return Seen::problem(429, "too_many_logins");
        }
        let owner = self.owner(&email).filter(|id| self.users[id].password == password);
        let Some(id) = owner else {
            self.attempts.push((email, Attempt::Failed));
            return Seen::problem(401, "invalid_credentials");
        };
        self.attempts.push((email, Attempt::Succeeded));
        self.tokens.insert(id, self.users[&id].role);
        Seen::without_version(201, json!({ "user": self.user_body(id) }))
    }

    pub(super) fn show_user(&self, id: UserId) -> Seen {
        if self.users.contains_key(&id) { self.answer(200, id) } else { no_user() }
    }

    pub(super) fn find_user(&self, email: Address) -> Seen {
        let found: Vec<_> =
            self.owner(&email.normalised()).into_iter().map(|id| self.user_body(id)).collect();
        Seen::without_version(200, json!({ "items": found }))
    }

    pub(super) fn change_user(
        &mut self,
        id: UserId,
        fields: UserFields,
        expected: Option<u64>,
        is_caller: bool,
    ) -> Seen {
        let UserFields { name: new_name, email, password, current } = fields;
        let needs_confirmation = is_caller && (email.is_some() || password.is_some());
        let changes_nothing = new_name.is_none() && email.is_none() && password.is_none();
        if changes_nothing || needs_confirmation && current.is_none() {
            return invalid_body();
        }
        let Some(user) = self.users.get(&id) else { return no_user() };
        if misses(expected, user.version) {
            return mismatch();
        }
        if needs_confirmation {
            if self.is_locked(&user.email) {
                return Seen::problem(429, "too_many_logins");
            }
            let email = user.email.clone();
            if current != Some(user.password) {
                self.attempts.push((email, Attempt::Failed));
                return Seen::problem(403, "wrong_password");
            }
            self.attempts.push((email, Attempt::Succeeded));
        }
        let email = email.map(Address::normalised);
        let owner = email.as_ref().and_then(|email| self.owner(email));
        if owner.is_some_and(|owner| owner != id) {
            return Seen::problem(409, "email_taken");
        }
        if let Some(user) = self.users.get_mut(&id) {
            user.name = new_name.map_or_else(|| user.name.clone(), name);
            user.email = email.unwrap_or_else(|| user.email.clone());
            user.password = password.unwrap_or(user.password);
            user.version += 1;
        }
        self.answer(200, id)
    }

    pub(super) fn assign_role(&mut self, id: UserId, admin: bool, expected: Option<u64>) -> Seen {
        let Some(user) = self.users.get_mut(&id) else { return no_user() };
        if misses(expected, user.version) {
            return mismatch();
        }
        user.role = if admin { Role::Admin } else { Role::User };
        user.version += 1;
        self.answer(200, id)
    }

    /// Frees the email; the orders and the idempotency keys stay.
    pub(super) fn delete_user(&mut self, id: UserId, expected: Option<u64>) -> Seen {
        let Some(user) = self.users.get(&id) else { return no_user() };
        if misses(expected, user.version) {
            return mismatch();
        }
        self.users.remove(&id);
        Seen::without_version(204, Value::Null)
    }

    /// What only happens while others do something to the same user.
    pub(super) fn add_what_others_cause(
        &self,
        operation: &Operation,
        context: Context<'_>,
        outcomes: &mut Vec<(Seen, Self)>,
    ) {
        let (user, emails) = match *operation {
            Operation::LogIn { email, .. } => (None, vec![email.normalised()]),
            Operation::ChangeUser { user, fields: UserFields { current: Some(_), .. }, .. } => {
                let id = context.before.user(user);
                let email = |shop: &Self| shop.users.get(&id).map(|user| user.email.clone());
                (Some(id), [email(self), email(context.before)].into_iter().flatten().collect())
            }
            _ => return,
        };
        // An attempt counts as failed until it has succeeded: the others' may reach the limit.
        let others = u32::try_from(context.operations - 1).unwrap_or(u32::MAX);
        if emails.iter().any(|email| self.failures_of(email) + others >= MAX_FAILURES) {
            outcomes.push((Seen::problem(429, "too_many_logins"), self.clone()));
        }
        if user.is_some() {
            // Who confirms a change means the user that the password was checked of: a change of
            // another's in between is not overwritten.
            outcomes.push((Seen::problem(503, "contention"), self.clone()));
            for (seen, after) in outcomes {
                if [401, 404, 412, 503].contains(&seen.status) {
                    after
                        .attempts
                        .extend(emails.iter().map(|email| (email.clone(), Attempt::Unclear)));
                }
            }
        }
    }

    fn add_user(&mut self, id: UserId, email: Address, password: u8, role: Role) {
        let user = User {
            email: email.normalised(),
            name: NEW_NAME.to_owned(),
            password,
            role,
            version: 1,
        };
        self.users.insert(id, user);
        self.tokens.insert(id, role);
        self.known.users.push(id);
    }

    fn owner(&self, email: &str) -> Option<UserId> {
        self.users.iter().find(|(_, user)| user.email == email).map(|(id, _)| *id)
    }

    fn is_locked(&self, email: &str) -> bool {
        self.failures_of(email) >= MAX_FAILURES
    }

    fn failures_of(&self, email: &str) -> u32 {
        self.failures.get(email).copied().unwrap_or_default()
    }

    fn answer(&self, status: i64, id: UserId) -> Seen {
        Seen::new(status, self.user_body(id), self.users[&id].version)
    }

    fn user_body(&self, id: UserId) -> Value {
        let user = &self.users[&id];
        json!({
            "id": id,
            "email": user.email,
            "name": user.name,
            "role": user.role,
            "version": user.version,
            "createdAt": id.created_at(),
        })
    }
}
