//! `/orders/{orderId}/refunds`: staff book what was paid back.

use axum::extract::State;
use garde::Validate;
use serde::Deserialize;
use storefront_core::{IdempotencyKey, MAX_TOTAL, Once, OrderId, Orders, Refund};
use storefront_http::problems::{
    Forbidden, IdempotencyKeyReused, NotPaid, OrderNotFound, RefundTooLarge,
};
use storefront_http::{
    Changed, Id, JsonBody, OptionalRequestId, OrderBody, Problem, Problems, RequiredIdempotencyKey,
    Staff,
};
use utoipa::ToSchema;

use crate::handlers::tagged;

/// What was paid back.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewRefund)]
pub(crate) struct RefundBody {
    /// In the order's currency, in its minor unit. At most what was paid and has not been paid back yet.
    #[garde(range(min = 1, max = MAX_TOTAL))]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_u64, example = 1890)]
    amount: u64,
}

/// Book a refund
///
/// It books what was paid back, all or a part; it moves no money. For staff. The request is safe to
/// retry with the same `Idempotency-Key`, and needs one.
#[utoipa::path(
    post,
    path = "/orders/{orderId}/refunds",
    operation_id = "refundOrder",
    tag = "orders",
    security(("accessToken" = [])),
    params(
        ("orderId" = OrderId, Path, example = "01930000-0000-7000-8000-000000000201"),
        ("Idempotency-Key" = IdempotencyKey, Header),
    ),
    request_body(content = RefundBody, example = json!({ "amount": 1890 })),
    responses(
        (status = 200, description = "The order", body = OrderBody, headers(
            ("ETag" = String),
            ("Idempotency-Replayed" = String),
        )),
        Problems<(Forbidden, OrderNotFound, NotPaid, RefundTooLarge, IdempotencyKeyReused)>,
    )
)]
pub(crate) async fn refund(
    staff: Staff,
    State(orders): State<Orders>,
    OptionalRequestId(request_id): OptionalRequestId,
    Id(id): Id<OrderId>,
    RequiredIdempotencyKey(idempotency_key): RequiredIdempotencyKey,
    JsonBody(body): JsonBody<RefundBody>,
) -> Result<Changed<OrderBody>, Problem> {
    let refund =
        Refund { amount: body.amount, booked_by: staff.user_id(), idempotency_key, request_id };
    let Once { value, replayed } = orders.refund(id, refund).await?;
    Ok(Changed { replayed, body: tagged(value) })
}
