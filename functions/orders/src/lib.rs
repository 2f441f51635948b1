//! `/orders`: customers place, see and cancel their own orders; administrators see and change any.

mod handlers;
mod metrics;
mod schema;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use storefront_core::{Orders, Table, Users};
use storefront_http::{openapi::Conventions, service};
use utoipa::OpenApi;

pub use metrics::METRICS;

/// The state of the handlers, and of the extractors that check what a caller may do.
#[derive(Clone, FromRef)]
struct Shop {
    orders: Orders,
    users: Users,
}

/// Returns the routes of `/orders` on this table.
pub fn app(table: Table) -> Router {
    let shop = Shop { orders: Orders::new(table.clone()), users: Users::new(table) };
    let routes = Router::new()
        .route("/orders", get(handlers::list).post(handlers::place))
        .route("/orders/{orderId}", get(handlers::show).patch(handlers::change))
        .with_state(shop);
    service("orders", routes)
}

/// The OpenAPI document of these routes.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(handlers::place, handlers::list, handlers::show, handlers::change),
    components(schemas(storefront_core::IdempotencyKey)),
    tags((name = "orders", description = "What was bought")),
    modifiers(&Conventions)
)]
pub struct ApiDoc;
