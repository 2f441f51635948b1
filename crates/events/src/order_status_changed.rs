use serde::{Deserialize, Serialize};
#[cfg(feature = "publish")]
use storefront_core::schema::ItemType;
use storefront_core::{Currency, OrderId, OrderStatus, RequestId, Timestamp, UserId, Version};

use crate::event::Detail;
#[cfg(feature = "publish")]
use crate::record::Write;
#[cfg(test)]
use crate::schemas;
#[cfg(feature = "publish")]
use crate::stream::Reason;
use crate::{Envelope, EventId};

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

impl Detail for OrderStatusChanged {
    const SOURCE: &'static str = "storefront.orders";

    fn envelope(&self) -> Envelope {
        Envelope {
            event_id: self.event_id,
            time: self.changed_at,
            request_id: self.request_id.clone(),
        }
    }

    fn outline(&self) -> String {
        format!("{} -> {}", self.previous_status, self.status)
    }

    #[cfg(feature = "publish")]
    fn caused_by(write: &Write<'_>) -> Result<Option<Self>, Reason> {
        let Some((old, new)) = write.modified(ItemType::Order)? else { return Ok(None) };
        let (previous_status, status) = (old.text("status")?, new.text("status")?);
        if previous_status == status {
            return Ok(None);
        }
        let order_id: OrderId = new.text("id")?;
        let version = new.number("version")?;
        Ok(Some(Self {
            event_id: EventId { subject: order_id.into(), version },
            order_id,
            user_id: new.text("userId")?,
            previous_status,
            status,
            total: new.number("total")?,
            currency: new.text("currency")?,
            version,
            changed_at: new.text("updatedAt")?,
            // Nothing depends on it, so the event is published without it.
            request_id: new.text("requestId").ok(),
        }))
    }
}
