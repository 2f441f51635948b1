//! `/products`: anyone may read, administrators may write.

mod handlers;
mod schema;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post, put};
use storefront_core::{Products, Table, Users};
use storefront_http::{openapi::Conventions, service};
use utoipa::OpenApi;

/// The state of the handlers, and of the extractors that check what a caller may do.
#[derive(Clone, FromRef)]
struct Shop {
    products: Products,
    users: Users,
}

/// Returns the routes of `/products` on this table.
pub fn app(table: Table) -> Router {
    let shop = Shop { products: Products::new(table.clone()), users: Users::new(table) };
    let routes = Router::new()
        .route("/products", get(handlers::list).post(handlers::create))
        .route(
            "/products/{productId}",
            get(handlers::show).patch(handlers::change).delete(handlers::remove),
        )
        .route("/products/{productId}/stock-changes", post(handlers::change_stock))
        .route("/products/{productId}/stock-spread", put(handlers::spread_stock))
        .with_state(shop);
    service("products", routes)
}

/// The OpenAPI document of these routes.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(
        handlers::list,
        handlers::create,
        handlers::show,
        handlers::change,
        handlers::remove,
        handlers::change_stock,
        handlers::spread_stock,
    ),
    components(schemas(storefront_core::IdempotencyKey)),
    tags((name = "products", description = "What is sold")),
    modifiers(&Conventions)
)]
pub struct ApiDoc;
