use axum::Json;
use axum::response::IntoResponse;
use http::{StatusCode, header};
use serde::Serialize;
use storefront_core::{Session, User};
use storefront_credentials::access_token::{self, Bearer};
use storefront_credentials::{SigningKeys, refresh_token};
use storefront_http::{Problem, UserBody};
use utoipa::ToSchema;

/// The tokens of a session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tokens {
    /// For the header `Authorization: Bearer …`.
    #[schema(pattern = "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$")]
    access_token: String,
    /// How to use the access token: `Bearer` (RFC 6750).
    #[schema(value_type = TokenTypeSchema)]
    token_type: &'static str,
    /// How long the access token is valid, in seconds.
    #[schema(minimum = 1, example = 900)]
    expires_in: u64,
    /// For `POST /sessions/refresh`, once. Keep it as safe as a password.
    #[schema(pattern = "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$")]
    refresh_token: String,
    /// How long the session can be refreshed, in seconds. Refreshing does not make it longer.
    #[schema(minimum = 0, example = 2_592_000)]
    refresh_expires_in: u64,
    /// The user who is logged in.
    user: UserBody,
}

/// How access tokens are used.
#[derive(ToSchema)]
#[schema(as = TokenType)]
#[allow(dead_code, reason = "it describes the only value")]
pub(crate) enum TokenTypeSchema {
    Bearer,
}

/// Answers with the tokens of a session.
pub(crate) async fn respond(
    status: StatusCode,
    keys: &SigningKeys,
    user: User,
    session: &Session,
) -> Result<impl IntoResponse + use<>, Problem> {
    let key = keys.current().await.map_err(Problem::unavailable)?;
    let bearer = Bearer { user_id: user.id, role: user.role, session_id: Some(session.id) };
    let left = session.expires_at - session.refreshed_at.as_seconds();
    let tokens = Tokens {
        access_token: access_token::issue(&key, bearer).map_err(Problem::internal)?,
        token_type: "Bearer",
        expires_in: access_token::LIFETIME.as_secs(),
        refresh_token: refresh_token::issue(&key, user.id, session).map_err(Problem::internal)?,
        refresh_expires_in: left.try_into().unwrap_or_default(),
        user: user.into(),
    };
    // RFC 6749, section 5.1: nothing on the way may store a token.
    Ok((status, [(header::CACHE_CONTROL, "no-store")], Json(tokens)))
}
