//! Registration, and the sessions that log-ins begin: POST /users and /sessions.
//!
//! Registration and log-in hash passwords and are open to everyone, so they have a function of their
//! own, with the memory (and so the CPU) that argon2 needs and the secret that signs tokens.

mod log_in;
mod refresh;
mod register;
mod renew;
mod sessions;
mod tokens;

use axum::Router;
use axum::routing::{delete, get, post};
use storefront_core::{LoginAttempts, Sessions, Table, Users};
use storefront_credentials::SigningKeys;
use storefront_http::Metric;
use storefront_http::openapi::Conventions;
use utoipa::OpenApi;

/// The metrics of this function.
pub const METRICS: &[Metric] = &[log_in::LOG_INS_FAILED, refresh::REFRESH_TOKENS_REUSED];

/// The part of the HTTP contract that this function serves.
#[derive(OpenApi)]
#[openapi(
    paths(
        register::register,
        log_in::log_in,
        refresh::refresh,
        sessions::list,
        sessions::end,
        sessions::end_all,
    ),
    components(schemas(sessions::SessionIdOrCurrent)),
    tags((name = "sessions", description = "Logging in, and staying so")),
    modifiers(&Conventions)
)]
pub struct ApiDoc;

/// The state of the handlers.
#[derive(Clone)]
struct Accounts {
    users: Users,
    login_attempts: LoginAttempts,
    sessions: Sessions,
    signing_keys: SigningKeys,
}

/// Builds the function for this table and these keys.
pub fn app(table: Table, signing_keys: SigningKeys) -> Router {
    let accounts = Accounts {
        users: Users::new(table.clone()),
        login_attempts: LoginAttempts::new(table.clone()),
        sessions: Sessions::new(table),
        signing_keys,
    };
    let routes = Router::new()
        .route("/users", post(register::register))
        .route("/sessions", get(sessions::list).post(log_in::log_in).delete(sessions::end_all))
        .route("/sessions/refresh", post(refresh::refresh))
        .route("/sessions/{sessionId}", delete(sessions::end))
        .with_state(accounts);
    storefront_http::service("auth", routes)
}
