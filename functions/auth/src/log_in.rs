use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use garde::Validate;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use storefront_core::{Email, User};
use storefront_credentials::access_token::{self, Bearer};
use storefront_credentials::{Error, GivenPassword, Result};
use storefront_http::problems::{InvalidCredentials, TooManyLogins};
use storefront_http::{JsonBody, Metric, Metrics, Parsed, Problem, Problems, UserBody};
use tracing::warn;
use utoipa::ToSchema;

use crate::Accounts;
use crate::renew::renew_hash;

/// The metrics of this function.
pub const METRICS: &[Metric] = &[LOG_INS_FAILED];

/// Log-ins with an unknown email or a wrong password. Attempts that are rejected unchecked after
/// too many of these do not count: telling the two apart is the point of rejecting them.
const LOG_INS_FAILED: Metric = Metric::count("LogInsFailed");

/// The credentials of a user who wants to log in.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Credentials {
    /// Case and surrounding spaces are ignored.
    #[garde(dive)]
    #[schema(value_type = Email)]
    email: Parsed<Email>,
    /// The user's password.
    #[garde(dive)]
    #[schema(value_type = GivenPassword)]
    password: Parsed<GivenPassword>,
}

/// The session of a logged-in user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    /// For the header `Authorization: Bearer …`.
    #[schema(pattern = "^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$")]
    access_token: String,
    /// How to use the token: `Bearer` (RFC 6750).
    #[schema(value_type = TokenTypeSchema)]
    token_type: &'static str,
    /// How long the token is valid, in seconds.
    #[schema(minimum = 1, example = 3600)]
    expires_in: u64,
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

/// Logs a user in.
///
/// After 10 failures for an email within 15 minutes, every log-in for it is rejected for the rest
/// of the 15 minutes, whatever the password. A session is the token itself and has no path of its
/// own; it ends when the token expires.
#[utoipa::path(
    post,
    path = "/sessions",
    operation_id = "logIn",
    tag = "sessions",
    request_body(content = Credentials, example = json!({
        "email": "ada@example.com",
        "password": "storefront-demo",
    })),
    responses(
        (status = 201, description = "The access token", body = Session, headers(
            ("Cache-Control" = String),
        )),
        Problems<(InvalidCredentials, TooManyLogins)>,
    )
)]
pub(crate) async fn log_in(
    State(accounts): State<Accounts>,
    metrics: Metrics,
    JsonBody(credentials): JsonBody<Credentials>,
) -> Result<impl IntoResponse, Problem> {
    let email = credentials.email.get()?;
    let password = credentials.password.get()?;
    // Read before it is counted: a log-in that fails here was not decided and must lock nobody out.
    let user = accounts.users.find_to_log_in(&email).await?;
    accounts.login_attempts.begin(&email).await?;
    let Some(user) = verified(user, password.clone()).await.map_err(Problem::internal)? else {
        metrics.add(LOG_INS_FAILED, 1.0);
        return Err(Problem::invalid_credentials());
    };
    tokio::join!(
        accounts.login_attempts.succeeded(&email),
        renew_hash(&accounts.users, &user, password),
    );

    let key = accounts.signing_keys.current().await.map_err(Problem::unavailable)?;
    let bearer = Bearer { user_id: user.id, role: user.role };
    let session = Session {
        access_token: access_token::issue(&key, bearer).map_err(Problem::internal)?,
        token_type: "Bearer",
        expires_in: access_token::LIFETIME.as_secs(),
        user: user.into(),
    };
    // RFC 6749, section 5.1: nothing on the way may store a token.
    Ok((StatusCode::CREATED, [(header::CACHE_CONTROL, "no-store")], Json(session)))
}

/// Returns the user if the password is right. Takes the same time if there is no user, or if the
/// user's hash cannot be verified: then no password is right.
async fn verified(user: Option<User>, password: GivenPassword) -> Result<Option<User>> {
    let Some(user) = user else {
        password.verify_absent().await?;
        return Ok(None);
    };
    match password.clone().verify(&user.password_hash).await {
        Err(Error::StoredHash(reason)) => {
            warn!(user_id = %user.id, %reason, "a stored password hash cannot be verified");
            password.verify_absent().await?;
            Ok(None)
        }
        verified => Ok(verified?.then_some(user)),
    }
}
