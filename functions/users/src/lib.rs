//! The API function of /users, except for registration.

mod change;
mod confirm;
mod delete;
mod export;
mod role;
mod show;
mod target;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post, put};
use storefront_core::{LoginAttempts, Orders, Sessions, Table, Users};
use storefront_http::openapi::Conventions;
use utoipa::OpenApi;

/// The part of the HTTP contract that this function serves.
#[derive(OpenApi)]
#[openapi(
    paths(
        show::show,
        show::find,
        change::change,
        role::assign,
        delete::delete,
        delete::delete_oneself,
        export::export,
    ),
    components(schemas(target::UserIdOrMe)),
    tags((name = "users", description = "Who may log in")),
    modifiers(&Conventions)
)]
pub struct ApiDoc;

/// The state of the handlers, and of the extractors that check what a caller may do.
#[derive(Clone, FromRef)]
struct Accounts {
    users: Users,
    login_attempts: LoginAttempts,
    sessions: Sessions,
    orders: Orders,
}

/// Builds the function for this table.
pub fn app(table: Table) -> Router {
    let accounts = Accounts {
        users: Users::new(table.clone()),
        login_attempts: LoginAttempts::new(table.clone()),
        sessions: Sessions::new(table.clone()),
        orders: Orders::new(table),
    };
    let routes = Router::new()
        .route("/users", get(show::find))
        .route("/users/{userId}", get(show::show).patch(change::change).delete(delete::delete))
        .route("/users/me/deletion", post(delete::delete_oneself))
        .route("/users/me/export", get(export::export))
        .route("/users/{userId}/role", put(role::assign))
        .with_state(accounts);
    storefront_http::service("users", routes)
}
