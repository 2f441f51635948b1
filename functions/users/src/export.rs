//! `/users/me/export`: all that the shop holds of a person, for that person.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use storefront_core::{OrderId, Orders, Users};
use storefront_http::openapi::CursorSchema;
use storefront_http::{
    Caller, Cursor, Limit, Metrics, OrderBody, PageBody, Problem, Query, UserBody, page_request,
};
use utoipa::{IntoParams, ToSchema};

/// Which part to read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    /// The maximum number of orders.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 100, default = 25, required = false)]
    limit: Limit,
    /// The `nextCursor` of the previous part.
    #[param(value_type = CursorSchema, required = false)]
    cursor: Option<Cursor<OrderId>>,
}

/// A part of what the shop holds of a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Export)]
pub(crate) struct ExportBody {
    /// The person, as a user of the shop.
    user: UserBody,
    /// Their orders, with everything in them, newest first.
    orders: PageBody<OrderBody>,
}

/// Export one's own data
///
/// What the shop holds of the caller, in parts: the user, and the orders with their items and addresses.
/// Read on as long as `orders` has a `nextCursor`. The sessions are at `/sessions`. The password's hash and the
/// addresses that log-ins came from, which are kept for up to 90 days, are not part of it.
#[utoipa::path(
    get,
    path = "/users/me/export",
    operation_id = "exportOwnData",
    tag = "users",
    security(("accessToken" = [])),
    params(ExportQuery),
    responses(
        (status = 200, description = "A part of the data", body = ExportBody),
    )
)]
pub(crate) async fn export(
    caller: Caller,
    State(orders): State<Orders>,
    State(users): State<Users>,
    metrics: Metrics,
    Query(query): Query<ExportQuery>,
) -> Result<Json<ExportBody>, Problem> {
    let request = page_request(query.limit, query.cursor);
    let (user, page) = tokio::try_join!(
        users.find(caller.user_id),
        orders.list_with_items(caller.user_id, request)
    )?;
    let user = user.ok_or_else(Problem::no_longer_a_user)?.into();
    Ok(Json(ExportBody { user, orders: PageBody::new(page, &metrics, OrderBody::from) }))
}
