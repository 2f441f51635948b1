//! What the model makes of each operation on users, and the items that users have in the table.

use serde_json::{Value, json};
use storefront_core::{Role, SessionId, UserId};

use super::UserFields;
use crate::engine::response::{Response, invalid_body, version_mismatch};
use crate::engine::script::is_stale;
use crate::engine::table::{ANY_VALUE, TableItems, expected_item};
use crate::entities::Model;
use crate::entities::login_failures::{Account, Attempt};
use crate::entities::sessions::token_in;
use crate::entities::values::{Address, name};

/// A user as the model has them.
#[derive(Clone)]
pub(crate) struct User {
    pub(crate) email: String,
    /// Whether a token was used that was sent to this email.
    pub(crate) email_verified: bool,
    name: String,
    password: u8,
    pub(crate) role: Role,
    /// How often all sessions were ended.
    pub(crate) epoch: u64,
    /// The one session that was not, the last time.
    kept_session: Option<SessionId>,
    /// How often the password was changed.
    pub(crate) password_version: u64,
    pub(crate) version: u64,
}

/// The name of everyone who registers.
pub(crate) const NEW_NAME: &str = "Anna";

impl Model {
    pub(crate) fn add_user(&mut self, id: UserId, email: Address, password: u8, role: Role) {
        self.add_user_with(id, email.stored(), password, role);
    }

    pub(in crate::entities) fn add_user_with(
        &mut self,
        id: UserId,
        email: String,
        password: u8,
        role: Role,
    ) {
        let name = NEW_NAME.to_owned();
        let user = User {
            email,
            email_verified: false,
            name,
            password,
            role,
            epoch: 0,
            kept_session: None,
            password_version: 0,
            version: 1,
        };
        self.users.create(id, user);
        self.token_roles.insert(id, role);
    }

    /// Changes the user's password to the same one, in this session.
    pub(crate) fn keep_session(&mut self, id: UserId, session: SessionId) {
        if let Some(user) = self.users.get_mut(id) {
            user.set_password(user.password, Some(session));
            user.version += 1;
        }
    }

    pub(super) fn user_version(&self, id: UserId) -> Option<u64> {
        self.users.get(id).map(|user| user.version)
    }

    pub(super) fn email_of(&self, id: UserId) -> Option<String> {
        self.users.get(id).map(|user| user.email.clone())
    }

    pub(super) fn account_of(&self, id: UserId) -> Option<Account> {
        self.users.get(id).map(|user| (user.email.clone(), user.password_version))
    }

    /// Of an email that nobody has, failures count for version 0.
    pub(super) fn account_with(&self, email: String) -> Account {
        let version = self.owner_of(&email).map(|(_, user)| user.password_version);
        (email, version.unwrap_or_default())
    }

    pub(in crate::entities) fn owner_of(&self, email: &str) -> Option<(UserId, &User)> {
        self.users.iter().find(|(_, user)| user.email == email)
    }

    pub(super) fn register(&mut self, email: Address, password: u8, actual: &Response) -> Response {
        if self.owner_of(&email.stored()).is_some() {
            return Response::problem(409, "email_taken");
        }
        let id = self.users.new_id(actual);
        self.add_user(id, email, password, Role::User);
        self.user_response(201, id).with_location(format!("/users/{id}"))
    }

    pub(super) fn log_in(&mut self, email: Address, password: u8, actual: &Response) -> Response {
        let account = self.account_with(email.stored());
        if self.login_failures.is_locked(&account) {
            return too_many_logins();
        }
        let owner = self.owner_of(&account.0).filter(|(_, user)| user.password == password);
        let Some((id, user)) = owner else {
            self.login_failures.note(account, Attempt::Failed);
            return Response::problem(401, "invalid_credentials");
        };
        let role = user.role;
        self.login_failures.note(account, Attempt::Succeeded);
        self.token_roles.insert(id, role);
        let (session, token) = (self.sessions.new_id(actual), token_in(actual));
        let user = self.user_body(id);
        let body = json!({ "id": session, "refreshToken": token, "user": user });
        self.add_session(session, id, token);
        Response::without_version(201, body)
    }

    pub(super) fn show_user(&self, id: UserId) -> Response {
        if self.users.get(id).is_some() { self.user_response(200, id) } else { user_not_found() }
    }

    pub(super) fn find_user(&self, email: Address) -> Response {
        let owner = self.owner_of(&email.stored());
        let items: Vec<_> = owner.into_iter().map(|(id, user)| user.body(id)).collect();
        Response::without_version(200, json!({ "items": items }))
    }

    pub(super) fn change_user(
        &mut self,
        id: UserId,
        fields: UserFields,
        expected: Option<u64>,
        is_own: bool,
    ) -> Response {
        let UserFields { name: new_name, email, password, current_password } = fields;
        let needs_confirmation = is_own && (email.is_some() || password.is_some());
        let changes_nothing = new_name.is_none() && email.is_none() && password.is_none();
        if changes_nothing || needs_confirmation && current_password.is_none() {
            return invalid_body();
        }
        let Some(user) = self.users.get(id) else { return user_not_found() };
        if is_stale(expected, user.version) {
            return version_mismatch();
        }
        if needs_confirmation && let Some(refused) = self.refused(id, current_password) {
            return refused;
        }
        let email = email.map(Address::stored);
        let owner = email.as_ref().and_then(|email| self.owner_of(email));
        if owner.is_some_and(|(owner, _)| owner != id) {
            return Response::problem(409, "email_taken");
        }
        if let Some(user) = self.users.get_mut(id) {
            user.name = new_name.map_or_else(|| user.name.clone(), name);
            if let Some(email) = email.filter(|email| *email != user.email) {
                user.email = email;
                user.email_verified = false;
            }
            if let Some(password) = password {
                user.set_password(password, None);
            }
            user.version += 1;
        }
        self.user_response(200, id)
    }

    /// Checks the password that confirms a request. Returns the answer if it is refused.
    fn refused(&mut self, id: UserId, given: Option<u8>) -> Option<Response> {
        let user = self.users.get(id)?;
        let is_right = given == Some(user.password);
        let account = self.account_of(id)?;
        if self.login_failures.is_locked(&account) {
            return Some(too_many_logins());
        }
        let attempt = if is_right { Attempt::Succeeded } else { Attempt::Failed };
        self.login_failures.note(account, attempt);
        (!is_right).then(|| Response::problem(403, "wrong_password"))
    }

    pub(super) fn assign_role(
        &mut self,
        id: UserId,
        role: Role,
        expected: Option<u64>,
        is_own: bool,
    ) -> Response {
        if is_own && role != Role::Admin {
            return administrator_needed();
        }
        let Some(user) = self.users.get_mut(id) else { return user_not_found() };
        if is_stale(expected, user.version) {
            return version_mismatch();
        }
        user.role = role;
        user.version += 1;
        self.user_response(200, id)
    }

    /// Frees the email. The orders and the idempotency keys stay.
    pub(super) fn delete_user(
        &mut self,
        id: UserId,
        password: Option<u8>,
        expected: Option<u64>,
        is_own: bool,
    ) -> Response {
        // A body without `currentPassword` is refused, even if an administrator sends it.
        if password.is_none() {
            return invalid_body();
        }
        let Some(user) = self.users.get(id) else { return user_not_found() };
        if is_stale(expected, user.version) {
            return version_mismatch();
        }
        let role = user.role;
        if is_own && let Some(refused) = self.refused(id, password) {
            return refused;
        }
        if is_own && role == Role::Admin {
            return administrator_needed();
        }
        self.users.remove(id);
        self.let_expire(id);
        Response::without_version(204, Value::Null)
    }

    fn user_response(&self, status: i64, id: UserId) -> Response {
        let user = self.users.get(id).expect("a user of the model");
        Response::entity(status, user.body(id), user.version)
    }

    /// A user as answers show them.
    pub(in crate::entities) fn user_body(&self, id: UserId) -> Value {
        self.users.get(id).map(|user| user.body(id)).unwrap_or_default()
    }

    pub(in crate::entities) fn add_user_items(&self, items: &mut TableItems) {
        for (id, user) in self.users.iter() {
            let (key, email) = (format!("USER#{id}"), format!("EMAIL#{}", user.email));
            let (id, version) = (id, user.version.to_string());
            let (created_at, epoch) = (id.created_at().to_string(), user.epoch.to_string());
            let (id, password_version) = (id.to_string(), user.password_version.to_string());
            let kept_session = user.kept_session.map(|session| session.to_string());
            let mut attributes = vec![
                ("GSI1PK", email.as_str()),
                ("GSI1SK", &key),
                ("id", &id),
                ("email", &user.email),
                ("name", &user.name),
                ("passwordHash", ANY_VALUE),
                ("role", user.role.as_str()),
                ("version", &version),
                ("createdAt", &created_at),
                ("updatedAt", ANY_VALUE),
            ];
            if user.epoch > 0 {
                attributes.push(("sessionEpoch", &epoch));
            }
            if let Some(session) = &kept_session {
                attributes.push(("keptSession", session));
            }
            if user.password_version > 0 {
                attributes.push(("passwordVersion", &password_version));
            }
            if user.email_verified {
                attributes.push(("emailVerified", "true"));
            }
            items.extend([
                expected_item("User", &key, "METADATA", &attributes),
                expected_item(
                    "UniqueEmail",
                    &format!("EMAIL#{}", user.email),
                    "METADATA",
                    &[("userId", &id)],
                ),
            ]);
        }
    }
}

impl User {
    pub(crate) fn set_password(&mut self, password: u8, keeps: Option<SessionId>) {
        self.password = password;
        self.password_version += 1;
        self.end_sessions(keeps);
    }

    pub(crate) fn end_sessions(&mut self, keeps: Option<SessionId>) {
        self.epoch += 1;
        self.kept_session = keeps;
    }

    /// Whether a session that began in this epoch goes on.
    pub(crate) fn has_session(&self, id: SessionId, epoch: u64) -> bool {
        self.epoch == epoch || self.kept_session == Some(id)
    }

    fn body(&self, id: UserId) -> Value {
        json!({
            "id": id,
            "email": self.email,
            "emailVerified": self.email_verified,
            "name": self.name,
            "role": self.role,
            "version": self.version,
            "createdAt": id.created_at(),
        })
    }
}

pub(super) fn user_not_found() -> Response {
    Response::problem(404, "user_not_found")
}

fn administrator_needed() -> Response {
    Response::problem(409, "administrator_needed")
}

pub(super) fn too_many_logins() -> Response {
    Response::problem(429, "too_many_logins")
}
