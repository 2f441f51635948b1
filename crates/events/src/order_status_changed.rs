use serde::{Deserialize, Serialize};
use storefront_core::{Currency, OrderId, OrderStatus, RequestId, Timestamp, UserId, Version};

use crate::EventId;
#[cfg(test)]
use crate::schemas;

/// An order went from one status to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderStatusChanged {
    /// `<orderId>:<version>`: the same on every delivery, so that subscribers can drop duplicates.
    #[cfg_attr(test, schemars(schema_with = "schemas::event_id"))]
    pub event_id: EventId,
    /// The order.
    #[cfg_attr(test, schemars(schema_with = "schemas::id"))]
    pub order_id: OrderId,
    /// The user whose order it is.
    #[cfg_attr(test, schemars(schema_with = "schemas::id"))]
    pub user_id: UserId,
    /// The status before the change.
    #[cfg_attr(test, schemars(schema_with = "schemas::order_status"))]
    pub previous_status: OrderStatus,
    /// The status after the change.
    #[cfg_attr(test, schemars(schema_with = "schemas::order_status"))]
    pub status: OrderStatus,
    /// The order's total in the currency's minor unit.
    pub total: u64,
    /// The total's currency (ISO 4217).
    #[cfg_attr(test, schemars(schema_with = "schemas::currency"))]
    pub currency: Currency,
    /// The order's version after the change. Grows with every change, so it tells which came first.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub version: Version,
    /// When the order changed.
    #[cfg_attr(test, schemars(schema_with = "schemas::timestamp"))]
    pub changed_at: Timestamp,
    /// The API's id of the request that changed it, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(schema_with = "schemas::request_id"))]
    pub request_id: Option<RequestId>,
}
