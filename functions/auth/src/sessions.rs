//! A user's sessions: the list of them, and their end.

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use http::StatusCode;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use storefront_core::{EntityId as _, Session, SessionId, Timestamp};
use storefront_http::openapi::CursorSchema;
use storefront_http::problems::SessionNotFound;
use storefront_http::{
    Caller, Cursor, Id, Limit, Metrics, PageBody, Problem, Problems, Query, page_request, schemas,
};
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use crate::Accounts;

/// Which page to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionsQuery {
    /// The maximum number of sessions.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 100, default = 25, required = false)]
    limit: Limit,
    /// The `nextCursor` of the previous page.
    #[param(value_type = CursorSchema, required = false)]
    cursor: Option<Cursor<SessionId>>,
}

/// What a log-in began.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(crate) struct SessionBody {
    /// The session's id.
    id: SessionId,
    /// What the client that logged in calls itself, in its header `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 200)]
    user_agent: Option<String>,
    /// Whether it is the session of this request.
    current: bool,
    /// When the user logged in.
    created_at: Timestamp,
    /// When the session was last refreshed.
    refreshed_at: Timestamp,
    /// When it ends.
    expires_at: Timestamp,
}

/// The session in the path; `current` is the caller's.
pub(crate) struct Target {
    caller: Caller,
    session_id: SessionId,
}

schemas! {
    /// A session's id in a path; `current` stands for the caller's.
    pub(crate) SessionIdOrCurrent as "SessionIdOrCurrent" = AnyOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["current"])))
        .item(Ref::from_schema_name("SessionId"))
        .description(Some("A session's id, or `current` for the one of this request"));
}

/// Lists the caller's sessions, newest first.
#[utoipa::path(
    get,
    path = "/sessions",
    operation_id = "listSessions",
    tag = "sessions",
    security(("accessToken" = [])),
    params(SessionsQuery),
    responses(
        (status = 200, description = "A page of sessions", body = PageBody<SessionBody>),
    )
)]
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    caller: Caller,
    metrics: Metrics,
    Query(query): Query<SessionsQuery>,
) -> Result<Json<PageBody<SessionBody>>, Problem> {
    let request = page_request(query.limit, query.cursor);
    let page = accounts.sessions.list(caller.user_id, request).await?;
    Ok(Json(PageBody::new(page, &metrics, |session| SessionBody::new(session, caller))))
}

/// Ends a session of the caller.
///
/// It can no longer be refreshed. Its access token is accepted until it expires, within 20 minutes.
#[utoipa::path(
    delete,
    path = "/sessions/{sessionId}",
    operation_id = "endSession",
    tag = "sessions",
    security(("accessToken" = [])),
    params(("sessionId" = SessionIdOrCurrent, Path, example = "current")),
    responses(
        (status = 204, description = "The session is over"),
        Problems<SessionNotFound>,
    )
)]
pub(crate) async fn end(
    State(accounts): State<Accounts>,
    Target { caller, session_id }: Target,
) -> Result<StatusCode, Problem> {
    accounts.sessions.end(caller.user_id, session_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all sessions of the caller, this one included.
///
/// They can no longer be refreshed. Their access tokens are accepted until they expire, within 20 minutes.
#[utoipa::path(
    delete,
    path = "/sessions",
    operation_id = "endAllSessions",
    tag = "sessions",
    security(("accessToken" = [])),
    responses(
        (status = 204, description = "The sessions are over"),
    )
)]
pub(crate) async fn end_all(
    State(accounts): State<Accounts>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    accounts.sessions.end_all(caller.user_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl SessionBody {
    fn new(session: Session, caller: Caller) -> Self {
        let expires_at = Timestamp::from_millis(session.expires_at.saturating_mul(1000));
        Self {
            id: session.id,
            user_agent: session.user_agent.map(|line| line.to_string()),
            current: caller.session_id == Some(session.id),
            created_at: session.id.created_at(),
            refreshed_at: session.refreshed_at,
            expires_at: expires_at.unwrap_or(session.refreshed_at),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Target {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let Path(segment) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| SessionId::not_found())?;
        let session_id = if segment == "current" {
            caller.session_id.ok_or_else(SessionId::not_found)?
        } else {
            let Id(id) = Id::from_request_parts(parts, state).await?;
            id
        };
        Ok(Self { caller, session_id })
    }
}
