//! `/orders`: customers place, see and cancel their own; administrators see and change any.

mod handlers;
mod idempotency_key;
mod metrics;
mod schema;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use storefront_core::{Orders, Table, Users};
use storefront_http::{openapi::Conventions, service};
use utoipa::OpenApi;

pub use metrics::METRICS;

/// What the handlers, and the extractors that ask what a caller may do, take from the state.
#[derive(Clone, FromRef)]
struct Shop {
    orders: Orders,
    users: Users,
}

/// The routes of `/orders` over this table.
pub fn app(table: Table) -> Router {
    let shop = Shop { orders: Orders::new(table.clone()), users: Users::new(table) };
    let routes = Router::new()
        .route("/orders", get(handlers::list).post(handlers::place))
        .route("/orders/{orderId}", get(handlers::show).patch(handlers::change))
        .with_state(shop);
    service("orders", routes)
}

/// What the OpenAPI document says of these routes.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(handlers::place, handlers::list, handlers::show, handlers::change),
    components(schemas(storefront_core::IdempotencyKey)),
    modifiers(&Conventions)
)]
pub struct ApiDoc;
