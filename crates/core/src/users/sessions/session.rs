use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::change::{Change, number, string};
use crate::users::User;
use crate::{Line, SessionId, Timestamp};

/// How long a session lasts at most, however often it is refreshed.
pub const SESSION_LIFETIME: Duration = Duration::from_hours(30 * 24);

/// How long after a refresh the generation before is still good.
pub const GRACE: Duration = Duration::from_mins(1);

/// The attribute of a user that says which sessions are in force: those that began in this epoch.
pub(in crate::users) const SESSION_EPOCH: &str = "sessionEpoch";

/// The attribute of a user with the one session that is in force although it began in an earlier epoch.
pub(in crate::users) const KEPT_SESSION: &str = "keptSession";

/// What a client says it is, in its header `User-Agent`. Tells users their sessions apart, and nothing
/// else: a client may say what it likes.
pub type UserAgent = Line<200>;

/// A session, as stored in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The session's id, which carries the time of the log-in.
    pub id: SessionId,
    /// How often it was refreshed. The refresh token that is good now names it.
    pub generation: u64,
    /// The user's epoch at log-in.
    epoch: u64,
    /// What logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<UserAgent>,
    /// When it was last refreshed, or began.
    pub refreshed_at: Timestamp,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
    /// Whether it was ended before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ended: bool,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// It was ended, has expired, or its user has been deleted.
    Ended,
    /// It ended just now, because a refresh token was used for the second time: two have it.
    Reuse,
}

/// Which of a user's sessions are in force.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InForce {
    #[serde(default)]
    pub(super) session_epoch: u64,
    kept_session: Option<SessionId>,
}

/// A session that was in force when all others of its user were ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptSession {
    id: SessionId,
    /// The user's epoch until then.
    epoch: u64,
}

impl KeptSession {
    pub(in crate::users) fn id(self) -> SessionId {
        self.id
    }
}

impl Session {
    pub(super) fn new(epoch: u64, user_agent: Option<UserAgent>) -> Self {
        let id = SessionId::new();
        let expires_at = id.created_at().as_seconds() + SESSION_LIFETIME.as_secs().cast_signed();
        let refreshed_at = id.created_at();
        Self { id, generation: 0, epoch, user_agent, refreshed_at, expires_at, ended: false }
    }

    /// Whether this generation follows the other one, and the other one is still good.
    pub(super) fn is_next_after(&self, generation: u64, now: Timestamp) -> bool {
        // Negative if the other refresh began later, or by a clock that is ahead.
        let since = now.as_seconds() - self.refreshed_at.as_seconds();
        self.generation.checked_sub(1) == Some(generation) && since <= GRACE.as_secs().cast_signed()
    }
}

impl InForce {
    /// The id of the session that is kept, for a condition.
    pub(super) fn kept(&self) -> AttributeValue {
        self.kept_session.map_or(AttributeValue::Null(true), string)
    }

    /// Returns the session if it is in force, to be kept.
    pub(super) fn keep(&self, session: &Session) -> Option<KeptSession> {
        let kept = KeptSession { id: session.id, epoch: self.session_epoch };
        self.include(session).then_some(kept)
    }

    pub(super) fn include(&self, session: &Session) -> bool {
        let is_of_this_epoch =
            session.epoch == self.session_epoch || self.kept_session == Some(session.id);
        // TTL may delete an item days after its time.
        is_of_this_epoch && !session.ended && session.expires_at > Timestamp::now().as_seconds()
    }
}

impl User {
    pub(super) fn sessions_in_force(&self) -> InForce {
        InForce { session_epoch: self.session_epoch, kept_session: self.kept_session }
    }
}

/// Ends all sessions of the user whom the change is for, except for the one that is kept, which requires that
/// nobody has ended them all meanwhile.
pub(in crate::users) fn end_sessions(change: Change, kept: Option<KeptSession>) -> Change {
    let change = change.count(SESSION_EPOCH);
    match kept {
        Some(KeptSession { id, epoch }) => change
            .set(KEPT_SESSION, string(id))
            .require_seen(SESSION_EPOCH, (epoch > 0).then(|| number(epoch))),
        None => change.remove(KEPT_SESSION),
    }
}
