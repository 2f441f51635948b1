use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use storefront_core::{Error, IdempotencyKey, Once, ProductId, ProductWithStock, Products};
use storefront_http::problems::{
    Forbidden, IdempotencyKeyReused, OutOfStock, ProductNotFound, StockNotCounted,
};
use storefront_http::{
    Admin, Changed, Created, Id, IfMatch, JsonBody, Metrics, OptionalIdempotencyKey, PageBody,
    Problem, Problems, Query, Replayed, Staff, Tagged, page_request,
};

use crate::schema::{
    ListQuery, NewProductBody, ProductBody, ProductChangesBody, StockChangeBody, StockSpreadBody,
};

/// List a category's products, oldest first
///
/// `available` follows a product's stock within moments. Read the product for its exact stock.
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
        None => Once { value: products.create(id, new).await?, replayed: false },
    };
    let location = format!("/products/{}", added.value.product.id);
    let product = tagged(added.value);
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
///
/// Sales do not change a product's version, so `If-Match` refuses only if somebody else has changed
/// the product. `stock` is a stock-taking: the pieces that can be sold from now on, without those of
/// orders that were placed before. For goods received, change the stock instead. `selling` takes a
/// product off sale, whatever its stock.
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

/// Change a product's stock by a number of pieces
///
/// For goods received, or shrinkage if `change` is negative. It counts once, whatever is sold
/// meanwhile. For staff. With an `Idempotency-Key` the request is safe to retry.
#[utoipa::path(
    post,
    path = "/products/{productId}/stock-changes",
    operation_id = "changeStock",
    tag = "products",
    security(("accessToken" = [])),
    params(
        ("productId" = ProductId, Path, example = "01930000-0000-7000-8000-000000000101"),
        ("Idempotency-Key" = Option<IdempotencyKey>, Header, nullable = false),
    ),
    request_body(content = StockChangeBody, example = json!({ "change": 50 })),
    responses(
        (status = 200, description = "The product", body = ProductBody, headers(
            ("ETag" = String),
            ("Idempotency-Replayed" = String),
        )),
        Problems<(Forbidden, ProductNotFound, StockNotCounted, OutOfStock, IdempotencyKeyReused)>,
    )
)]
pub(crate) async fn change_stock(
    staff: Staff,
    State(products): State<Products>,
    Id(id): Id<ProductId>,
    OptionalIdempotencyKey(idempotency_key): OptionalIdempotencyKey,
    JsonBody(body): JsonBody<StockChangeBody>,
) -> Result<Changed<ProductBody>, Problem> {
    let sender = idempotency_key.map(|key| (staff.user_id(), key));
    let Once { value, replayed } = products.change_stock(id, body.change, sender).await?;
    Ok(Changed { replayed, body: tagged(value) })
}

/// Spread a product's stock, so that it can be sold faster
///
/// One item of the table takes some 50 orders a second. A product that sells faster is spread over
/// several. Take a product that sells fast at the moment off sale first, or this may be refused with
/// `contention`.
#[utoipa::path(
    put,
    path = "/products/{productId}/stock-spread",
    operation_id = "spreadStock",
    tag = "products",
    security(("accessToken" = [])),
    params(("productId" = ProductId, Path, example = "01930000-0000-7000-8000-000000000101")),
    request_body(content = StockSpreadBody, example = json!({ "items": 16 })),
    responses(
        (status = 200, description = "The spread", body = StockSpreadBody),
        Problems<(Forbidden, ProductNotFound)>,
    )
)]
pub(crate) async fn spread_stock(
    _: Admin,
    State(products): State<Products>,
    Id(id): Id<ProductId>,
    JsonBody(body): JsonBody<StockSpreadBody>,
) -> Result<Json<StockSpreadBody>, Problem> {
    products.spread_stock(id, body.items()).await?;
    Ok(Json(body))
}

/// The `ETag` has the version and the stock, as far as it is counted.
fn tagged(product: ProductWithStock) -> Tagged<ProductBody> {
    let version = product.product.version;
    match product.stock {
        Some(stock) => Tagged::with_state(version, stock, product.into()),
        None => Tagged::new(version, product.into()),
    }
}
