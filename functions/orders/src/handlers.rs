use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode, header};
use storefront_core::{NewOrder, OrderId, OrderWithItems, Orders, StatusChange, Users};
use storefront_http::openapi::{IdempotencyKeySchema, IfMatchSchema, OrderIdSchema};
use storefront_http::{
    Authority, Caller, Id, IfMatch, JsonBody, Metrics, OptionalRequestId, PageBody, Problem, Query,
    Tagged, page_request,
};

use crate::idempotency_key::OptionalIdempotencyKey;
use crate::schema::{ListQuery, NewOrderBody, OrderBody, OrderChangesBody};

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Place an order
///
/// At the products' current prices. With an `Idempotency-Key` it is safe to send again: for 24
/// hours the same key with the same body gives the first order.
#[utoipa::path(
    post,
    path = "/orders",
    operation_id = "placeOrder",
    tag = "orders",
    security(("accessToken" = [])),
    params(("Idempotency-Key" = Option<IdempotencyKeySchema>, Header, nullable = false)),
    request_body(content = NewOrderBody, example = json!({
        "items": [{ "productId": "01930000-0000-7000-8000-000000000101", "quantity": 2 }],
    })),
    responses(
        (status = 201, description = "The order", body = OrderBody, headers(
            ("Location" = String),
            ("ETag" = String),
        )),
        (status = 200, description = "The order was placed before with this key", body = OrderBody,
            headers(
                ("Location" = String),
                ("ETag" = String),
                ("Idempotency-Replayed" = String),
            )
        ),
        (status = 409, description = "`out_of_stock`: `products` names what there is not enough of"),
        (status = 422, description = "`unknown_products` and \
            `mixed_currencies`: `products` cannot be sold together; `too_many_items`; \
            `idempotency_key_reused`: the key was used for another order"),
    )
)]
pub(crate) async fn place(
    caller: Caller,
    State(orders): State<Orders>,
    OptionalRequestId(request_id): OptionalRequestId,
    metrics: Metrics,
    OptionalIdempotencyKey(idempotency_key): OptionalIdempotencyKey,
    JsonBody(body): JsonBody<NewOrderBody>,
) -> Result<Response, Problem> {
    let new = NewOrder {
        id: OrderId::new(),
        user_id: caller.user_id,
        items: body.into_items()?,
        idempotency_key,
        request_id,
    };
    let placed = orders.place(new).await?;
    let location = [(header::LOCATION, format!("/orders/{}", placed.order.order.id))];
    Ok(if placed.replayed {
        let replayed = [(IDEMPOTENCY_REPLAYED, "true")];
        (StatusCode::OK, location, replayed, tagged(placed.order)).into_response()
    } else {
        metrics.order_placed(&placed.order.order);
        (StatusCode::CREATED, location, tagged(placed.order)).into_response()
    })
}

/// List orders, newest first, without their items
#[utoipa::path(
    get,
    path = "/orders",
    operation_id = "listOrders",
    tag = "orders",
    security(("accessToken" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "A page of the user's orders", body = PageBody<OrderBody>),
        (status = 403, description = "`forbidden`: others' orders are for administrators"),
    )
)]
pub(crate) async fn list(
    caller: Caller,
    State(orders): State<Orders>,
    State(users): State<Users>,
    Query(query): Query<ListQuery>,
) -> Result<Json<PageBody<OrderBody>>, Problem> {
    let user_id = query.user_id.unwrap_or(caller.user_id);
    if !caller.may_act_for(user_id, &users).await? {
        return Err(Problem::forbidden());
    }
    let created = query.created();
    let page = orders.list(user_id, created, page_request(query.limit, query.cursor)).await?;
    Ok(Json(PageBody::new(page, OrderBody::from)))
}

/// Read an order
#[utoipa::path(
    get,
    path = "/orders/{orderId}",
    operation_id = "readOrder",
    tag = "orders",
    security(("accessToken" = [])),
    params(("orderId" = OrderIdSchema, Path, example = "01930000-0000-7000-8000-000000000201")),
    responses(
        (status = 200, description = "The order", body = OrderBody, headers(
            ("ETag" = String),
        )),
        (status = 404, description = "`order_not_found`: there is no such order, or it is somebody else's"),
    )
)]
pub(crate) async fn show(
    authority: Authority,
    State(orders): State<Orders>,
    Id(id): Id<OrderId>,
) -> Result<Tagged<OrderBody>, Problem> {
    let found = orders.find(authority.order_access(), id).await?;
    found.map(tagged).ok_or_else(Problem::order_not_found)
}

/// Change an order's status
///
/// Customers may cancel their own order while it is pending or paid; its items go back into stock.
/// All else is for administrators.
#[utoipa::path(
    patch,
    path = "/orders/{orderId}",
    operation_id = "changeOrder",
    tag = "orders",
    security(("accessToken" = [])),
    params(
        ("orderId" = OrderIdSchema, Path, example = "01930000-0000-7000-8000-000000000201"),
        ("If-Match" = Option<IfMatchSchema>, Header, nullable = false, description = "Change this version only"),
    ),
    request_body(content = OrderChangesBody, example = json!({ "status": "cancelled" })),
    responses(
        (status = 200, description = "The order", body = OrderBody, headers(
            ("ETag" = String),
        )),
        (status = 403, description = "`forbidden`: all but cancelling is for administrators"),
        (status = 404, description = "`order_not_found`: there is no such order, or it is somebody else's"),
        (status = 409, description = "`invalid_status_change`: the order's status does not allow this"),
    )
)]
pub(crate) async fn change(
    authority: Authority,
    State(orders): State<Orders>,
    OptionalRequestId(request_id): OptionalRequestId,
    Id(id): Id<OrderId>,
    IfMatch(expected): IfMatch,
    JsonBody(body): JsonBody<OrderChangesBody>,
) -> Result<Tagged<OrderBody>, Problem> {
    let change = StatusChange { to: body.status.get()?, expected, request_id };
    let order = orders.change_status(authority.order_access(), id, change).await?;
    Ok(tagged(order))
}

fn tagged(order: OrderWithItems) -> Tagged<OrderBody> {
    Tagged(order.order.version, order.into())
}
