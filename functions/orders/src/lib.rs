//! `/orders`: customers place, see and cancel their own; administrators see and change any.

mod handlers;
mod idempotency_key;
mod schema;

use axum::Router;
use axum::routing::get;
use storefront_core::{Orders, Table};
use storefront_http::{openapi::Conventions, service};
use utoipa::OpenApi;

/// The routes of `/orders` over this table.
pub fn app(table: Table) -> Router {
    let routes = Router::new()
        .route("/orders", get(handlers::list).post(handlers::place))
        .route("/orders/{orderId}", get(handlers::show).patch(handlers::change))
        .with_state(Orders::new(table));
    service("orders", routes)
}

/// What the OpenAPI document says of these routes.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(handlers::place, handlers::list, handlers::show, handlers::change),
    modifiers(&Conventions)
)]
pub struct ApiDoc;
