//! The event that subscribers receive.

use serde::{Serialize, Serializer};
use storefront_core::{Currency, OrderId, OrderStatus, RequestId, Timestamp, UserId, Version};

/// The events' `source`.
pub const SOURCE: &str = "storefront.orders";

/// The events' `detail-type`.
pub const DETAIL_TYPE: &str = "OrderStatusChanged";

/// An order went from one status to another: the `detail` of the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderStatusChanged {
    /// The same on every delivery of this change, so that subscribers can drop doubles.
    pub event_id: EventId,
    /// The order.
    pub order_id: OrderId,
    /// Whose order it is.
    pub user_id: UserId,
    /// The status before the change.
    pub previous_status: OrderStatus,
    /// The status after the change.
    pub status: OrderStatus,
    /// The order's total in the currency's minor unit.
    pub total: u64,
    /// The total's currency.
    pub currency: Currency,
    /// The order's version after the change. It grows with every change of an order, so
    /// subscribers can see which of two came first.
    pub version: Version,
    /// When the order changed.
    pub changed_at: Timestamp,
    /// The API's id of the request that changed it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<RequestId>,
}

/// `<orderId>:<version>`: an order has one state per version, so it names one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventId {
    /// The order.
    pub order_id: OrderId,
    /// The order's version after the change.
    pub version: Version,
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.order_id, self.version)
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
