//! `/products`: anyone reads, administrators write.

mod handlers;
mod schema;

use axum::Router;
use axum::routing::get;
use storefront_core::{Products, Table};
use storefront_http::{openapi::Conventions, service};
use utoipa::OpenApi;

/// The routes of `/products` over this table.
pub fn app(table: Table) -> Router {
    let routes = Router::new()
        .route("/products", get(handlers::list).post(handlers::create))
        .route(
            "/products/{productId}",
            get(handlers::show).patch(handlers::change).delete(handlers::remove),
        )
        .with_state(Products::new(table));
    service("products", routes)
}

/// What the OpenAPI document says of these routes.
#[derive(Debug, OpenApi)]
#[openapi(
    paths(handlers::list, handlers::create, handlers::show, handlers::change, handlers::remove),
    modifiers(&Conventions)
)]
pub struct ApiDoc;
