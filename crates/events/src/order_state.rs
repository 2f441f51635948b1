use serde::{Deserialize, Serialize};
#[cfg(feature = "publish")]
use storefront_core::Order;
use storefront_core::{
    Currency, OrderId, OrderNumber, OrderStatus, Payment, RequestId, Timestamp, UserId, Version,
};

#[cfg(test)]
use crate::schemas;
use crate::{Envelope, EventId};

/// The order after an event, as every event of an order has it. No event has an address or the name
/// or email of a person; a subscriber that needs them reads the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderState {
    /// `<orderId>:<version>`: the same on every delivery, so that subscribers can drop duplicates.
    #[cfg_attr(test, schemars(schema_with = "schemas::event_id"))]
    pub event_id: EventId,
    /// The order.
    #[cfg_attr(test, schemars(schema_with = "schemas::id"))]
    pub order_id: OrderId,
    /// The user whose order it is.
    #[cfg_attr(test, schemars(schema_with = "schemas::id"))]
    pub user_id: UserId,
    /// What customers know the order by.
    #[cfg_attr(test, schemars(schema_with = "schemas::number"))]
    pub number: OrderNumber,
    /// The order's status.
    #[cfg_attr(test, schemars(schema_with = "schemas::order_status"))]
    pub status: OrderStatus,
    /// Where the order's money is.
    #[cfg_attr(test, schemars(schema_with = "schemas::payment"))]
    pub payment: Payment,
    /// What has been paid back, in the currency's minor unit.
    pub refunded_amount: u64,
    /// The order's total in the currency's minor unit.
    pub total: u64,
    /// The total's currency (ISO 4217).
    #[cfg_attr(test, schemars(schema_with = "schemas::currency"))]
    pub currency: Currency,
    /// The order's version. Grows with every change, so it tells which event came first.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub version: Version,
    /// The API's id of the request that made this version, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(schema_with = "schemas::request_id"))]
    pub request_id: Option<RequestId>,
}

impl OrderState {
    #[cfg(feature = "publish")]
    pub(crate) fn of(order: &Order) -> Self {
        Self {
            event_id: EventId { subject: order.id.into(), version: order.version },
            order_id: order.id,
            user_id: order.user_id,
            number: order.number(),
            status: order.status,
            payment: order.payment(),
            refunded_amount: order.refunded_amount,
            total: order.total,
            currency: order.currency,
            version: order.version,
            request_id: order.request_id.clone(),
        }
    }

    pub(crate) fn envelope(&self, time: Timestamp) -> Envelope {
        Envelope { event_id: self.event_id, time, request_id: self.request_id.clone() }
    }
}
