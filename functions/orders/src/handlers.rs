use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use storefront_core::{
    Error, IdempotencyKey, NewOrder, OrderAccess, OrderId, OrderWithItems, Orders, StatusChange,
    Users,
};
use storefront_http::problems::{
    Forbidden, IdempotencyKeyReused, InvalidStatusChange, MixedCurrencies, NotForSale, NotListed,
    OrderNotFound, OutOfStock, TooManyItems, TooManyOpenOrders, TotalChanged, TotalTooLarge,
    UnknownProducts,
};
use storefront_http::{
    Authority, Caller, Created, Id, IfMatch, JsonBody, Metrics, OptionalIdempotencyKey,
    OptionalRequestId, OrderBody, PageBody, Problem, Problems, Query, Replayed, Tagged,
    page_request,
};

use crate::metrics::order_placed;
use crate::schema::{ListQuery, NewOrderBody, OrderChangesBody, Wanted};

/// Place an order
///
/// The order has the products' current prices, or, with `expectedTotal`, is refused if they have
/// changed. With an `Idempotency-Key` the request is safe to
/// retry: for 24 hours the same key with the same body returns the first order.
#[utoipa::path(
    post,
    path = "/orders",
    operation_id = "placeOrder",
    tag = "orders",
    security(("accessToken" = [])),
    params(("Idempotency-Key" = Option<IdempotencyKey>, Header, nullable = false)),
    request_body(content = NewOrderBody, example = json!({
        "items": [{ "productId": "01930000-0000-7000-8000-000000000101", "quantity": 2 }],
    })),
    responses(
        (status = 201, description = "The order", body = OrderBody, headers(
            ("Location" = String),
            ("ETag" = String),
        )),
        (status = 200, description = "The order placed earlier with this key", body = OrderBody,
            headers(
                ("Location" = String),
                ("ETag" = String),
                ("Idempotency-Replayed" = String),
            )
        ),
        Problems<(
            (OutOfStock, NotForSale, TotalChanged, TooManyOpenOrders),
            (UnknownProducts, MixedCurrencies, TooManyItems, TotalTooLarge, IdempotencyKeyReused),
        )>,
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
    let Wanted { items, shipping_address, expected_total } = body.try_into()?;
    let new = NewOrder {
        id: OrderId::new(),
        user_id: caller.user_id,
        items,
        shipping_address,
        expected_total,
        idempotency_key,
        request_id,
    };
    let placed = orders.place(new).await?;
    let location = format!("/orders/{}", placed.value.order.id);
    Ok(if placed.replayed {
        Replayed(location, tagged(placed.value)).into_response()
    } else {
        order_placed(&metrics, &placed.value.order);
        Created(location, tagged(placed.value)).into_response()
    })
}

/// List orders, without their items
///
/// A user's orders come newest first. Staff can also list the orders of all users that the shop has
/// something to do with, by `status` or by `payment`; those come oldest first, and may be a moment old.
#[utoipa::path(
    get,
    path = "/orders",
    operation_id = "listOrders",
    tag = "orders",
    security(("accessToken" = [])),
    params(ListQuery),
    responses(
        (status = 200, description = "A page of orders", body = PageBody<OrderBody>),
        Problems<(Forbidden, NotListed)>,
    )
)]
pub(crate) async fn list(
    caller: Caller,
    State(orders): State<Orders>,
    State(users): State<Users>,
    metrics: Metrics,
    Query(query): Query<ListQuery>,
) -> Result<Json<PageBody<OrderBody>>, Problem> {
    let created = query.created();
    let request = page_request(query.limit, query.cursor);
    let page = if query.is_of_all_users() {
        if caller.authority(&users).await?.order_access() != OrderAccess::Any {
            return Err(Problem::staff_only());
        }
        orders.worklist(query.worklist()?, created, request).await?
    } else {
        let user_id = query.user_id.unwrap_or(caller.user_id);
        if !caller.may_see_orders_of(user_id, &users).await? {
            return Err(Problem::staff_only());
        }
        orders.list(user_id, created, request).await?
    };
    Ok(Json(PageBody::new(page, &metrics, OrderBody::from)))
}

/// Read an order
#[utoipa::path(
    get,
    path = "/orders/{orderId}",
    operation_id = "readOrder",
    tag = "orders",
    security(("accessToken" = [])),
    params(("orderId" = OrderId, Path, example = "01930000-0000-7000-8000-000000000201")),
    responses(
        (status = 200, description = "The order", body = OrderBody, headers(
            ("ETag" = String),
        )),
        Problems<OrderNotFound>,
    )
)]
pub(crate) async fn show(
    authority: Authority,
    State(orders): State<Orders>,
    Id(id): Id<OrderId>,
) -> Result<Tagged<OrderBody>, Problem> {
    let found = orders.find(authority.order_access(), id).await?;
    Ok(tagged(found.ok_or(Error::OrderNotFound)?))
}

/// Change an order's status
///
/// Customers may cancel their own order while it is pending or paid; its items go back into stock.
/// All other changes are for staff. An order that has the status already stays as it is. What was paid
/// for an order that is cancelled or returned, or for one that was cancelled before, is owed back:
/// `payment` is then `refund_due`.
#[utoipa::path(
    patch,
    path = "/orders/{orderId}",
    operation_id = "changeOrder",
    tag = "orders",
    security(("accessToken" = [])),
    params(
        ("orderId" = OrderId, Path, example = "01930000-0000-7000-8000-000000000201"),
        IfMatch,
    ),
    request_body(content = OrderChangesBody, example = json!({ "status": "cancelled" })),
    responses(
        (status = 200, description = "The order", body = OrderBody, headers(
            ("ETag" = String),
        )),
        Problems<(Forbidden, OrderNotFound, InvalidStatusChange)>,
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
    let (to, tracking) = body.into_parts()?;
    let change = StatusChange { to, tracking, expected, request_id };
    let order = orders.change_status(authority.order_access(), id, change).await?;
    Ok(tagged(order))
}

pub(crate) fn tagged(order: OrderWithItems) -> Tagged<OrderBody> {
    Tagged::new(order.order.version, order.into())
}
