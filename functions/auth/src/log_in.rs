use axum::extract::State;
use axum::response::IntoResponse;
use garde::Validate;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use storefront_core::{Email, LoginAttempt, UserAgent};
use storefront_credentials::GivenPassword;
use storefront_http::problems::{InvalidCredentials, TooManyLogins};
use storefront_http::{JsonBody, Metric, Metrics, OptionalSource, Parsed, Problem, Problems};
use utoipa::ToSchema;

use crate::Accounts;
use crate::renew::renew_hash;
use crate::tokens::{self, Tokens};

/// Log-ins with an unknown email or a wrong password. Attempts that are rejected unchecked after
/// too many of these do not count: telling the two apart is the point of rejecting them.
pub(crate) const LOG_INS_FAILED: Metric = Metric::count("LogInsFailed");

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

/// Logs a user in.
///
/// After 10 failures for an email from one address within 15 minutes, every log-in for it from there is
/// rejected for the rest of the 15 minutes, whatever the password. After 100 failures from one address, for
/// whichever emails, every log-in from there is; and after 100 failures for one email, from wherever, every
/// log-in for it, except from an address from which it has logged in within 90 days. A new password starts
/// anew.
///
/// A log-in begins a session: the access token is good for a quarter of an hour, and the refresh token gets the
/// next one, for up to 30 days.
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
        (status = 201, description = "The tokens of the session", body = Tokens, headers(
            ("Cache-Control" = String),
        )),
        Problems<(InvalidCredentials, TooManyLogins)>,
    )
)]
pub(crate) async fn log_in(
    State(accounts): State<Accounts>,
    metrics: Metrics,
    OptionalSource(source): OptionalSource,
    headers: HeaderMap,
    JsonBody(credentials): JsonBody<Credentials>,
) -> Result<impl IntoResponse, Problem> {
    let email = credentials.email.get()?;
    let password = credentials.password.get()?;
    // Read before it is counted: a log-in that fails here was not decided and must lock nobody out.
    let user = accounts.users.find_to_log_in(&email).await?;
    let attempt = LoginAttempt::new(email, user.as_ref(), source);
    accounts.login_attempts.begin(&attempt).await?;
    let is_right = password.clone().is_of(user.as_ref()).await.map_err(Problem::internal)?;
    let Some(user) = user.filter(|_| is_right) else {
        metrics.add(LOG_INS_FAILED, 1.0);
        accounts.login_attempts.failed(&attempt).await;
        return Err(Problem::invalid_credentials());
    };
    let (session, (), ()) = tokio::join!(
        accounts.sessions.begin(&user, user_agent(&headers)),
        accounts.login_attempts.succeeded(&attempt),
        renew_hash(&accounts.users, &user, password),
    );
    tokens::respond(StatusCode::CREATED, &accounts.signing_keys, user, &session?).await
}

/// What the client says it is, as far as it is a text, and no longer than is kept.
fn user_agent(headers: &HeaderMap) -> Option<UserAgent> {
    let text = headers.get(header::USER_AGENT)?.to_str().ok()?;
    let text: String = text.chars().take(UserAgent::MAX).collect();
    UserAgent::tidied(text.trim()).ok()
}
