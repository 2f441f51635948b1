mod model;

use std::fmt;

use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use storefront_core::{Role, UserId};
use storefront_testing::Request;

use super::login_failures::{Account, Attempt, MAX_FAILURES};
use super::values::{Address, address, name, password};
use super::{Focus, Model, Operation};
use crate::engine::client::with_if_match;
use crate::engine::generate::{by, if_match, mostly_admin, user};
use crate::engine::operation::{Call, Client, EntityOperation};
use crate::engine::response::{Response, forbidden, unauthenticated};
use crate::engine::script::{By, IfMatch, Nth};
pub(crate) use model::{NEW_NAME, User};
use model::{too_many_logins, user_not_found};

/// From the start, `u0` is the administrator, `u1` and `u2` are customers, and `u3` is staff.
pub(crate) type UserRef = Nth<'u'>;

#[derive(Clone)]
pub(crate) enum UserOperation {
    Register { email: Address, password: u8 },
    LogIn { email: Address, password: u8 },
    Show { by: By, user: UserRef },
    Find { by: By, email: Address },
    Change { by: By, user: UserRef, fields: UserFields, if_match: IfMatch },
    AssignRole { by: By, user: UserRef, role: Role, if_match: IfMatch },
    Delete { by: By, user: UserRef, password: Option<u8>, how: Deletion, if_match: IfMatch },
}

/// How users can delete themselves. Others are always deleted with DELETE.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deletion {
    Delete,
    Post,
}

/// The fields that a request has; names and passwords by number.
#[derive(Clone, Copy, Default)]
pub(crate) struct UserFields {
    pub(crate) name: Option<u8>,
    pub(crate) email: Option<Address>,
    pub(crate) password: Option<u8>,
    pub(crate) current_password: Option<u8>,
}

pub(crate) fn operations() -> impl Strategy<Value = Operation> {
    use UserOperation::{AssignRole, Change, Delete, Find, LogIn, Register, Show};
    let register =
        (address(), usual_password()).prop_map(|(email, password)| Register { email, password });
    let log_in =
        (address(), usual_password()).prop_map(|(email, password)| LogIn { email, password });
    let show = (by(), user()).prop_map(|(by, user)| Show { by, user });
    let find = (by(), address()).prop_map(|(by, email)| Find { by, email });
    let change = (by(), user(), fields(), if_match())
        .prop_map(|(by, user, fields, if_match)| Change { by, user, fields, if_match });
    let role = prop_oneof![Just(Role::User), Just(Role::Staff), Just(Role::Admin)];
    let assign_role =
        (mostly_admin(), user(), role, if_match()).prop_map(|(by, user, role, if_match)| {
            AssignRole { by: By::User(by), user, role, if_match }
        });
    let password = option::weighted(0.9, usual_password());
    let how = prop_oneof![Just(Deletion::Delete), Just(Deletion::Post)];
    let delete = (by(), user(), password, how, if_match()).prop_map(
        |(by, user, password, how, if_match)| Delete { by, user, password, how, if_match },
    );
    prop_oneof![
        2 => register, 2 => log_in, 1 => show, 1 => find, 6 => change, 2 => assign_role, 2 => delete
    ]
    .prop_map(Operation::User)
}

/// Operations that find every user by email.
pub(crate) fn read_all() -> impl Iterator<Item = UserOperation> {
    let by = By::User(Nth(0));
    (0..6).map(move |number| UserOperation::Find { by, email: Address::normalised(number) })
}

/// Mostly the one that everybody has at first.
fn usual_password() -> impl Strategy<Value = u8> {
    prop_oneof![4 => Just(0_u8), 1 => Just(1)]
}

fn fields() -> impl Strategy<Value = UserFields> {
    (
        option::of(1..4_u8),
        option::of(address()),
        option::weighted(0.2, usual_password()),
        option::weighted(0.9, usual_password()),
    )
        .prop_map(|(name, email, password, current_password)| UserFields {
            name,
            email,
            password,
            current_password,
        })
}

impl EntityOperation for UserOperation {
    fn caller(&self, known: &Model) -> UserId {
        let user = match *self {
            Self::Register { .. } | Self::LogIn { .. } | Self::Find { by: By::Owner, .. } => Nth(0),
            Self::Show { by: By::User(user), .. }
            | Self::Find { by: By::User(user), .. }
            | Self::Change { by: By::User(user), .. }
            | Self::AssignRole { by: By::User(user), .. }
            | Self::Delete { by: By::User(user), .. }
            | Self::Show { by: By::Owner, user }
            | Self::Change { by: By::Owner, user, .. }
            | Self::AssignRole { by: By::Owner, user, .. }
            | Self::Delete { by: By::Owner, user, .. } => user,
        };
        known.users.nth(user)
    }

    fn request(&self, client: &Client<'_>) -> Request {
        let &Client { known, caller, .. } = client;
        let (auth, users) = (&client.shop.auth, &client.shop.users);
        match *self {
            Self::Register { email, password: number } => auth.post("/users").json(json!({
                "email": email.sent(), "password": password(number), "name": NEW_NAME,
            })),
            Self::LogIn { email, password: number } => auth.post("/sessions").json(json!({
                "email": email.sent(), "password": password(number),
            })),
            Self::Show { user, .. } => {
                users.get(format!("/users/{}", known.users.nth(user))).by(caller)
            }
            Self::Find { email, .. } => {
                let email = email.sent().replace(' ', "%20");
                users.get(format!("/users?email={email}")).by(caller)
            }
            Self::Change { user, fields, if_match, .. } => {
                let id = known.users.nth(user);
                let request = users.patch(format!("/users/{id}")).json(fields.body());
                with_if_match(request.by(caller), if_match, known.user_version(id))
            }
            Self::AssignRole { user, role, if_match, .. } => {
                let id = known.users.nth(user);
                let request = users.put(format!("/users/{id}/role")).json(json!({ "role": role }));
                with_if_match(request.by(caller), if_match, known.user_version(id))
            }
            Self::Delete { user, password: number, how, if_match, .. } => {
                let id = known.users.nth(user);
                let request = match how {
                    Deletion::Post if id == caller.user_id => users.post("/users/me/deletion"),
                    _ => users.delete(format!("/users/{id}")),
                };
                let body = number.map_or_else(
                    || json!({}),
                    |number| json!({ "currentPassword": password(number) }),
                );
                with_if_match(request.by(caller).json(body), if_match, known.user_version(id))
            }
        }
    }

    fn perform(&self, model: &mut Model, call: &Call<'_>) -> Response {
        let known = call.known();
        let Some(user) = self.user() else {
            return match *self {
                Self::Register { email, password } => model.register(email, password, call.actual),
                Self::LogIn { email, password } => model.log_in(email, password, call.actual),
                Self::Find { email, .. } if call.is_admin() => model.find_user(email),
                _ => forbidden(),
            };
        };
        let id = known.users.nth(user);
        let is_own = id == call.caller;
        let expected = |if_match: IfMatch| if_match.version(known.user_version(id));
        let response = match *self {
            Self::AssignRole { role, if_match, .. } if call.is_admin() => {
                model.assign_role(id, role, expected(if_match), is_own)
            }
            Self::AssignRole { .. } => forbidden(),
            _ if !call.is_admin() && !is_own => user_not_found(),
            Self::Change { fields, if_match, .. } => {
                model.change_user(id, fields, expected(if_match), is_own)
            }
            Self::Delete { password, if_match, .. } => {
                model.delete_user(id, password, expected(if_match), is_own)
            }
            _ => model.show_user(id),
        };
        or_unauthenticated(response, is_own)
    }

    fn rejects_deleted_caller(&self, call: &Call<'_>) -> bool {
        match *self {
            Self::Register { .. } | Self::LogIn { .. } => false,
            Self::Find { .. } | Self::AssignRole { .. } => call.has_staff_token(),
            // Only what needs the token of staff makes the shop read the caller first.
            Self::Show { user, .. } | Self::Change { user, .. } | Self::Delete { user, .. } => {
                call.has_staff_token() && call.known().users.nth(user) != call.caller
            }
        }
    }

    fn add_concurrent_outcomes(
        &self,
        model: &Model,
        call: &Call<'_>,
        outcomes: &mut Vec<(Response, Model)>,
    ) {
        let accounts: Vec<Account> = match *self {
            Self::LogIn { email, .. } => {
                let accounts = [model, call.known()];
                accounts.map(|model| model.account_with(email.stored())).into()
            }
            Self::Change { user, fields: UserFields { current_password: Some(_), .. }, .. } => {
                let id = call.known().users.nth(user);
                [model, call.known()].iter().filter_map(|model| model.account_of(id)).collect()
            }
            Self::Delete { user, password: Some(_), .. }
                if call.known().users.nth(user) == call.caller =>
            {
                let accounts = [model, call.known()].map(|model| model.account_of(call.caller));
                accounts.into_iter().flatten().collect()
            }
            _ => return,
        };
        // An attempt counts as failed until it has succeeded, so concurrent ones may reach the limit.
        let others = u32::try_from(call.step.operations - 1).unwrap_or(u32::MAX);
        if accounts
            .iter()
            .any(|account| model.login_failures.count(account) + others >= MAX_FAILURES)
        {
            outcomes.push((too_many_logins(), model.clone()));
        }
        if matches!(self, Self::Change { .. } | Self::Delete { .. }) {
            // The confirmed change applies to the user whose password was checked. It does not
            // overwrite a change that another operation made in between.
            outcomes.push((Response::problem(503, "contention"), model.clone()));
            for (response, after) in outcomes {
                if [401, 404, 412, 503].contains(&response.status) {
                    for account in &accounts {
                        after.login_failures.note(account.clone(), Attempt::Unclear);
                    }
                }
            }
        }
    }

    fn reread(&self, model: &Model, call: &Call<'_>) -> Option<Response> {
        match *self {
            Self::Change { user, .. } | Self::AssignRole { user, .. } => {
                let id = call.known().users.nth(user);
                Some(or_unauthenticated(model.show_user(id), id == call.caller))
            }
            _ => None,
        }
    }

    /// A new email is answered from the change itself.
    fn is_answered_without_reread(&self, before: &Model, after: &Model, known: &Model) -> bool {
        match *self {
            Self::Change { user, .. } => {
                let id = known.users.nth(user);
                before.email_of(id) != after.email_of(id)
            }
            _ => false,
        }
    }

    fn focus_on(&mut self, focus: &Focus) {
        match self {
            Self::Register { email, .. } | Self::LogIn { email, .. } | Self::Find { email, .. } => {
                email.number = focus.email;
            }
            Self::Change { user, fields, .. } => {
                *user = focus.user;
                if let Some(email) = &mut fields.email {
                    email.number = focus.email;
                }
            }
            Self::Show { user, .. } | Self::AssignRole { user, .. } | Self::Delete { user, .. } => {
                *user = focus.user;
            }
        }
    }
}

impl UserOperation {
    /// The user whose id is in the path.
    fn user(&self) -> Option<UserRef> {
        match *self {
            Self::Register { .. } | Self::LogIn { .. } | Self::Find { .. } => None,
            Self::Show { user, .. }
            | Self::Change { user, .. }
            | Self::AssignRole { user, .. }
            | Self::Delete { user, .. } => Some(user),
        }
    }
}

impl UserFields {
    fn body(self) -> Value {
        let mut body = Map::new();
        body.extend(self.name.map(|number| ("name".to_owned(), json!(name(number)))));
        body.extend(self.email.map(|email| ("email".to_owned(), json!(email.sent()))));
        body.extend(self.password.map(|number| ("password".to_owned(), json!(password(number)))));
        body.extend(
            self.current_password
                .map(|number| ("currentPassword".to_owned(), json!(password(number)))),
        );
        Value::Object(body)
    }
}

/// A caller who finds that they do not exist has a token that is no longer good.
fn or_unauthenticated(response: Response, is_own: bool) -> Response {
    if is_own && response == user_not_found() { unauthenticated() } else { response }
}

impl From<UserOperation> for Operation {
    fn from(operation: UserOperation) -> Self {
        Self::User(operation)
    }
}

impl fmt::Debug for UserFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.body())
    }
}

impl fmt::Debug for UserOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Register { email, password } => write!(f, "register {email:?} pw{password}"),
            Self::LogIn { email, password } => write!(f, "log in {email:?} pw{password}"),
            Self::Show { by, user } => write!(f, "show {user:?}{by:?}"),
            Self::Find { by, email } => write!(f, "find the user with {email:?}{by:?}"),
            Self::Change { by, user, fields, if_match } => {
                write!(f, "change {user:?} {fields:?}{if_match:?}{by:?}")
            }
            Self::AssignRole { by, user, role, if_match } => {
                write!(f, "make {user:?} {role}{if_match:?}{by:?}")
            }
            Self::Delete { by, user, password, how, if_match } => {
                write!(f, "delete {user:?} {how:?} pw{password:?}{if_match:?}{by:?}")
            }
        }
    }
}
