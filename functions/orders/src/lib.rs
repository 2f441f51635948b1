//! `/orders`: customers place, see and cancel their own orders; staff see and move any.

mod handlers;
mod metrics;
mod refunds;
mod schema;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use storefront_core::{OrderRules, Orders, Table, Users};
use storefront_http::{openapi::Conventions, service};
use utoipa::OpenApi;

pub use metrics::METRICS;

/// The state of the handlers, and of the extractors that check what a caller may do.
#[derive(Clone, FromRef)]
struct Shop {
    orders: Orders,
    users: Users,
}

/// Returns the routes of `/orders` on this table, with these rules for new orders.
pub fn app(table: Table, rules: OrderRules) -> Router {
    let orders = Orders::new(table.clone()).with_rules(rules);
    let shop = Shop { orders, users: Users::new(table) };
    let routes = Router::new()
        .route("/orders", get(handlers::list).post(handlers::place))
        .route("/orders/{orderId}", get(handlers::show).patch(handlers::change))
        .route("/orders/{orderId}/refunds", post(refunds::refund))
        .with_state(shop);
    service("orders", routes)
}

/// The OpenAPI document of these routes.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(
        handlers::place,
        handlers::list,
        handlers::show,
        handlers::change,
        refunds::refund
    ),
    components(schemas(storefront_core::IdempotencyKey)),
    tags((name = "orders", description = "What was bought")),
    modifiers(&Conventions)
)]
pub struct ApiDoc;
