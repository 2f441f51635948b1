//! Sessions: what a log-in begins, and refresh tokens prolong.

use std::fmt;

use proptest::prelude::*;
use serde_json::{Value, json};
use storefront_core::{SessionId, UserId};
use storefront_testing::Request;

use super::{Focus, Model, Operation};
use crate::engine::generate::{by, user};
use crate::engine::operation::{Call, Client, EntityOperation};
use crate::engine::response::{Response, unauthenticated};
use crate::engine::script::{By, NONEXISTENT, Nth};
use crate::engine::table::{ANY_VALUE, TableItems, expected_item};

/// From the start, `s0` and `s2` are of `u1`, and `s1` is of `u2`, who has changed the password in it.
pub(crate) type SessionRef = Nth<'s'>;

#[derive(Clone)]
pub(crate) enum SessionOperation {
    /// With the token of this many generations ago.
    Refresh {
        session: SessionRef,
        ago: u8,
    },
    List {
        user: Nth<'u'>,
    },
    End {
        by: By,
        session: SessionRef,
    },
    EndAll {
        user: Nth<'u'>,
    },
}

/// A session as the model has it.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) user: UserId,
    /// The user's epoch when it began.
    epoch: u64,
    /// The refresh token of each generation.
    tokens: Vec<String>,
    is_ended: bool,
}

pub(crate) fn operations() -> impl Strategy<Value = Operation> {
    use SessionOperation::{End, EndAll, List, Refresh};
    let ago = prop_oneof![6 => Just(0_u8), 2 => Just(1), 1 => Just(2)];
    let refresh = (session(), ago).prop_map(|(session, ago)| Refresh { session, ago });
    let list = user().prop_map(|user| List { user });
    let end = (by(), session()).prop_map(|(by, session)| End { by, session });
    let end_all = user().prop_map(|user| EndAll { user });
    prop_oneof![8 => refresh, 1 => list, 2 => end, 1 => end_all].prop_map(Operation::Session)
}

/// Operations that list the sessions of every user.
pub(crate) fn read_all(model: &Model) -> impl Iterator<Item = SessionOperation> {
    model.users.all().map(|user| SessionOperation::List { user })
}

fn session() -> impl Strategy<Value = SessionRef> {
    prop_oneof![6 => 0..3_u8, 2 => 3..6_u8, 1 => Just(NONEXISTENT)].prop_map(Nth)
}

impl EntityOperation for SessionOperation {
    fn caller(&self, known: &Model) -> UserId {
        match *self {
            Self::Refresh { .. } => known.users.nth(Nth(0)),
            Self::List { user } | Self::EndAll { user } | Self::End { by: By::User(user), .. } => {
                known.users.nth(user)
            }
            Self::End { by: By::Owner, session } => {
                let owner = known.session(session).map(|(_, session)| session.user);
                owner.unwrap_or_else(|| known.users.nth(Nth(1)))
            }
        }
    }

    fn request(&self, client: &Client<'_>) -> Request {
        let &Client { known, caller, .. } = client;
        let auth = &client.shop.auth;
        match *self {
            Self::Refresh { session, ago } => {
                let token = known.session(session).map(|(_, session)| session.token(ago).1);
                let body = json!({ "refreshToken": token.unwrap_or("not.a.token") });
                auth.post("/sessions/refresh").json(body)
            }
            Self::List { .. } => auth.get("/sessions?limit=100").by(caller),
            Self::End { session, .. } => {
                let id = known.sessions.nth(session);
                auth.delete(format!("/sessions/{id}")).by(caller)
            }
            Self::EndAll { .. } => auth.delete("/sessions").by(caller),
        }
    }

    fn perform(&self, model: &mut Model, call: &Call<'_>) -> Response {
        match *self {
            Self::Refresh { session, ago } => match call.known().session(session) {
                Some((id, known)) => model.refresh(id, known.token(ago).0, call.actual),
                None => session_over(),
            },
            Self::List { .. } => model.list_sessions(call.caller),
            Self::End { session, .. } => {
                let id = call.known().sessions.nth(session);
                model.end_session(id, call.caller)
            }
            Self::EndAll { .. } => match model.users.get_mut(call.caller) {
                Some(user) => {
                    user.end_sessions(None);
                    Response::without_version(204, Value::Null)
                }
                None => unauthenticated(),
            },
        }
    }

    /// None of these looks at the caller's role.
    fn rejects_deleted_caller(&self, _: &Call<'_>) -> bool {
        false
    }

    fn focus_on(&mut self, focus: &Focus) {
        match self {
            Self::Refresh { session, .. } | Self::End { session, .. } => *session = focus.session,
            Self::List { user } | Self::EndAll { user } => *user = focus.user,
        }
    }
}

impl Model {
    pub(crate) fn add_session(&mut self, id: SessionId, user: UserId, token: String) {
        let epoch = self.users.get(user).map(|user| user.epoch).unwrap_or_default();
        let session = Session { user, epoch, tokens: vec![token], is_ended: false };
        self.sessions.create(id, session);
    }

    fn session(&self, nth: SessionRef) -> Option<(SessionId, &Session)> {
        let id = self.sessions.nth(nth);
        self.sessions.get(id).map(|session| (id, session))
    }

    fn is_over(&self, id: SessionId, session: &Session) -> bool {
        let user = self.users.get(session.user);
        session.is_ended || !user.is_some_and(|user| user.has_session(id, session.epoch))
    }

    /// Exchanges the token of this generation.
    fn refresh(&mut self, id: SessionId, generation: usize, actual: &Response) -> Response {
        let Some(session) = self.sessions.get(id) else { return session_over() };
        if self.is_over(id, session) {
            return session_over();
        }
        let (current, user) = (session.tokens.len() - 1, session.user);
        if generation + 1 < current {
            if let Some(session) = self.sessions.get_mut(id) {
                session.is_ended = true;
            }
            return session_over();
        }
        if generation == current
            && let Some(session) = self.sessions.get_mut(id)
        {
            session.tokens.push(token_in(actual));
        }
        let token = self.sessions.get(id).and_then(|session| session.tokens.last().cloned());
        let role = self.users.get(user).map(|user| user.role);
        self.token_roles.extend(role.map(|role| (user, role)));
        Response::without_version(
            200,
            json!({ "id": id, "refreshToken": token, "user": self.user_body(user) }),
        )
    }

    fn list_sessions(&self, user: UserId) -> Response {
        if self.users.get(user).is_none() {
            return unauthenticated();
        }
        let own = self.sessions.iter().rev();
        let own = own.filter(|(id, session)| session.user == user && !self.is_over(*id, session));
        let items: Vec<_> = own.map(|(id, _)| json!({ "id": id, "current": false })).collect();
        Response::without_version(200, json!({ "items": items }))
    }

    fn end_session(&mut self, id: SessionId, user: UserId) -> Response {
        match self.sessions.get_mut(id) {
            Some(session) if session.user == user => {
                session.is_ended = true;
                Response::without_version(204, Value::Null)
            }
            _ => Response::problem(404, "session_not_found"),
        }
    }

    pub(in crate::entities) fn add_session_items(&self, items: &mut TableItems) {
        for (id, session) in self.sessions.iter() {
            let (key, id) = (format!("SESSION#{}", session.user), id.to_string());
            let generation = (session.tokens.len() - 1).to_string();
            let epoch = session.epoch.to_string();
            let mut attributes = vec![
                ("id", id.as_str()),
                ("generation", &generation),
                ("epoch", &epoch),
                ("refreshedAt", ANY_VALUE),
                ("expiresAt", ANY_VALUE),
            ];
            if session.is_ended {
                attributes.push(("ended", "true"));
            }
            items.extend([expected_item("Session", &key, &id, &attributes)]);
        }
    }
}

impl Session {
    /// The token of this many generations ago, or the first one, with its generation.
    fn token(&self, ago: u8) -> (usize, &str) {
        let generation = (self.tokens.len() - 1).saturating_sub(ago.into());
        (generation, &self.tokens[generation])
    }
}

/// The refresh token in an answer, which the server makes.
pub(super) fn token_in(actual: &Response) -> String {
    actual.body["refreshToken"].as_str().unwrap_or_default().to_owned()
}

fn session_over() -> Response {
    Response::problem(401, "session_over")
}

impl From<SessionOperation> for Operation {
    fn from(operation: SessionOperation) -> Self {
        Self::Session(operation)
    }
}

impl fmt::Debug for SessionOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refresh { session, ago: 0 } => write!(f, "refresh {session:?}"),
            Self::Refresh { session, ago } => {
                write!(f, "refresh {session:?} with the token of {ago} generations ago")
            }
            Self::List { user } => write!(f, "list the sessions of {user:?}"),
            Self::End { by, session } => write!(f, "end {session:?}{by:?}"),
            Self::EndAll { user } => write!(f, "end all sessions of {user:?}"),
        }
    }
}
