use axum::extract::State;
use axum::response::IntoResponse;
use garde::Validate;
use http::StatusCode;
use serde::Deserialize;
use storefront_core::{Error, SessionEnd};
use storefront_credentials::NotVerified;
use storefront_credentials::refresh_token::RefreshToken;
use storefront_http::problems::SessionOver;
use storefront_http::{JsonBody, Metric, Metrics, Problem, Problems};
use tracing::warn;
use utoipa::ToSchema;

use crate::Accounts;
use crate::tokens::{self, Tokens};

/// Sessions that were ended because a refresh token was used again: two have it, or a client has lost an
/// answer and kept the old token for more than a minute.
pub(crate) const REFRESH_TOKENS_REUSED: Metric = Metric::count("RefreshTokensReused");

/// The longest refresh token that is looked at, in bytes. The shop's have some 330.
const MAX_TOKEN: usize = 2048;

/// The refresh token to exchange.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Refresh {
    /// The `refreshToken` of the last answer.
    #[garde(length(bytes, max = MAX_TOKEN))]
    #[schema(max_length = 2048)]
    refresh_token: String,
}

/// Exchanges a refresh token for new tokens.
///
/// The new refresh token replaces the old one, which is good for another minute and then gives the same new
/// one: an answer may have been lost. After that, using it again ends the session, because two have it.
#[utoipa::path(
    post,
    path = "/sessions/refresh",
    operation_id = "refreshSession",
    tag = "sessions",
    request_body = Refresh,
    responses(
        (status = 200, description = "New tokens", body = Tokens, headers(
            ("Cache-Control" = String),
        )),
        Problems<SessionOver>,
    )
)]
pub(crate) async fn refresh(
    State(accounts): State<Accounts>,
    metrics: Metrics,
    JsonBody(Refresh { refresh_token }): JsonBody<Refresh>,
) -> Result<impl IntoResponse, Problem> {
    let RefreshToken { user_id, session_id, generation } =
        accounts.signing_keys.verify(&refresh_token).await.map_err(|not| match not {
            NotVerified::Token(_) => Problem::session_over(),
            NotVerified::Key(error) => Problem::unavailable(error),
        })?;
    let refreshed = accounts.sessions.refresh(user_id, session_id, generation).await;
    if let Err(Error::SessionOver(SessionEnd::Reuse)) = refreshed {
        metrics.add(REFRESH_TOKENS_REUSED, 1.0);
        warn!(%user_id, %session_id, "a refresh token was used again, and its session ended");
    }
    let (user, session) = refreshed?;
    tokens::respond(StatusCode::OK, &accounts.signing_keys, user, &session).await
}
