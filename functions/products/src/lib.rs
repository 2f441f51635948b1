//! `/products`: anyone reads, administrators write.

mod handlers;
mod schema;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use storefront_core::{Products, Table, Users};
use storefront_http::{openapi::Conventions, service};
use utoipa::OpenApi;

/// What the handlers, and the extractors that ask what a caller may do, take from the state.
#[derive(Clone, FromRef)]
struct Shop {
    products: Products,
    users: Users,
}

/// The routes of `/products` over this table.
pub fn app(table: Table) -> Router {
    let shop = Shop { products: Products::new(table.clone()), users: Users::new(table) };
    let routes = Router::new()
        .route("/products", get(handlers::list).post(handlers::create))
        .route(
            "/products/{productId}",
            get(handlers::show).patch(handlers::change).delete(handlers::remove),
        )
        .with_state(shop);
    service("products", routes)
}

/// What the OpenAPI document says of these routes.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(handlers::list, handlers::create, handlers::show, handlers::change, handlers::remove),
    modifiers(&Conventions)
)]
pub struct ApiDoc;
