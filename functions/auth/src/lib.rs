//! Registration and log-in: POST /users and POST /sessions.
//!
//! These two hash passwords and are open to everyone, so they have a function of their own, with
//! the memory (and so the CPU) that argon2 needs and the secret that signs tokens.

mod log_in;
mod register;
mod renew;

use axum::Router;
use axum::routing::post;
use storefront_core::{LoginAttempts, Table, Users};
use storefront_credentials::SigningKeys;
use storefront_http::openapi::Conventions;
use utoipa::OpenApi;

pub use log_in::METRICS;

/// The part of the HTTP contract that this function serves.
#[derive(OpenApi)]
#[openapi(
    paths(register::register, log_in::log_in),
    tags((name = "sessions", description = "Access tokens")),
    modifiers(&Conventions)
)]
pub struct ApiDoc;

/// The state of the handlers.
#[derive(Clone)]
struct Accounts {
    users: Users,
    login_attempts: LoginAttempts,
    signing_keys: SigningKeys,
}

/// Builds the function for this table and these keys.
pub fn app(table: Table, signing_keys: SigningKeys) -> Router {
    let accounts = Accounts {
        users: Users::new(table.clone()),
        login_attempts: LoginAttempts::new(table),
        signing_keys,
    };
    let routes = Router::new()
        .route("/users", post(register::register))
        .route("/sessions", post(log_in::log_in))
        .with_state(accounts);
    storefront_http::service("auth", routes)
}
