use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use storefront_core::{Added, Error, IdempotencyKey, Product, ProductId, Products};
use storefront_http::problems::{Forbidden, IdempotencyKeyReused, ProductNotFound};
use storefront_http::{
    Admin, Created, Id, IfMatch, JsonBody, Metrics, OptionalIdempotencyKey, PageBody, Problem,
    Problems, Query, Replayed, Tagged, page_request,
};

use crate::schema::{ListQuery, NewProductBody, ProductBody, ProductChangesBody};

/// List a category's products, oldest first
#[utoipa::path(
    get,
    path = "/products",
    operation_id = "listProducts",
    tag = "products",
    params(ListQuery),
    responses(
        (status = 200, description = "A page of products", body = PageBody<ProductBody>),
    )
)]
pub(crate) async fn list(
    State(products): State<Products>,
    metrics: Metrics,
    Query(query): Query<ListQuery>,
) -> Result<Json<PageBody<ProductBody>>, Problem> {
    let category = query.category()?;
    let page = products.list(category, page_request(query.limit, query.cursor)).await?;
    Ok(Json(PageBody::new(page, &metrics, ProductBody::from)))
}

/// Add a product
///
/// With an `Idempotency-Key` the request is safe to retry: for 24 hours the same key with the same
/// body returns the first product.
#[utoipa::path(
    post,
    path = "/products",
    operation_id = "createProduct",
    tag = "products",
    security(("accessToken" = [])),
    params(("Idempotency-Key" = Option<IdempotencyKey>, Header, nullable = false)),
    request_body(content = NewProductBody, example = json!({
        "name": "Espresso blend, 1 kg",
        "description": "Dark chocolate and hazelnut.",
        "category": "coffee",
        "price": 1890,
        "currency": "EUR",
        "stock": 100,
    })),
    responses(
        (status = 201, description = "The product", body = ProductBody, headers(
            ("Location" = String),
            ("ETag" = String),
        )),
        (status = 200, description = "The product added earlier with this key", body = ProductBody,
            headers(
                ("Location" = String),
                ("ETag" = String),
                ("Idempotency-Replayed" = String),
            )
        ),
        Problems<(Forbidden, ProductNotFound, IdempotencyKeyReused)>,
    )
)]
pub(crate) async fn create(
    admin: Admin,
    State(products): State<Products>,
    OptionalIdempotencyKey(idempotency_key): OptionalIdempotencyKey,
    JsonBody(body): JsonBody<NewProductBody>,
) -> Result<Response, Problem> {
    let (id, new) = (ProductId::new(), body.try_into()?);
    let added = match idempotency_key {
        Some(key) => products.create_once(id, new, admin.user_id(), key).await?,
        None => Added { product: products.create(id, new).await?, replayed: false },
    };
    let location = format!("/products/{}", added.product.id);
    let product = tagged(added.product);
    Ok(if added.replayed {
        Replayed(location, product).into_response()
    } else {
        Created(location, product).into_response()
    })
}

/// Read a product
#[utoipa::path(
    get,
    path = "/products/{productId}",
    operation_id = "readProduct",
    tag = "products",
    params(("productId" = ProductId, Path, example = "01930000-0000-7000-8000-000000000101")),
    responses(
        (status = 200, description = "The product", body = ProductBody, headers(
            ("ETag" = String),
        )),
        Problems<ProductNotFound>,
    )
)]
pub(crate) async fn show(
    State(products): State<Products>,
    Id(id): Id<ProductId>,
) -> Result<Tagged<ProductBody>, Problem> {
    Ok(tagged(products.find(id).await?.ok_or(Error::ProductNotFound)?))
}

/// Change a product
#[utoipa::path(
    patch,
    path = "/products/{productId}",
    operation_id = "changeProduct",
    tag = "products",
    security(("accessToken" = [])),
    params(
        ("productId" = ProductId, Path, example = "01930000-0000-7000-8000-000000000101"),
        IfMatch,
    ),
    request_body(content = ProductChangesBody, example = json!({ "price": 1990, "stock": 120 })),
    responses(
        (status = 200, description = "The product", body = ProductBody, headers(
            ("ETag" = String),
        )),
        Problems<(Forbidden, ProductNotFound)>,
    )
)]
pub(crate) async fn change(
    _: Admin,
    State(products): State<Products>,
    Id(id): Id<ProductId>,
    IfMatch(expected): IfMatch,
    JsonBody(body): JsonBody<ProductChangesBody>,
) -> Result<Tagged<ProductBody>, Problem> {
    let product = products.update(id, body.try_into()?, expected).await?;
    Ok(tagged(product))
}

/// Delete a product
///
/// Orders keep the name and the price they were placed with.
#[utoipa::path(
    delete,
    path = "/products/{productId}",
    operation_id = "deleteProduct",
    tag = "products",
    security(("accessToken" = [])),
    params(
        ("productId" = ProductId, Path, example = "01930000-0000-7000-8000-000000000101"),
        IfMatch,
    ),
    responses(
        (status = 204, description = "The product is deleted"),
        Problems<(Forbidden, ProductNotFound)>,
    )
)]
pub(crate) async fn remove(
    _: Admin,
    State(products): State<Products>,
    Id(id): Id<ProductId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    products.delete(id, expected).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn tagged(product: Product) -> Tagged<ProductBody> {
    Tagged(product.version, product.into())
}
