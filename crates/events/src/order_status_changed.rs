use serde::{Deserialize, Serialize};
use storefront_core::{CancelReason, OrderStatus, Timestamp, Tracking};

use crate::event::Detail;
#[cfg(feature = "publish")]
use crate::record::Write;
#[cfg(test)]
use crate::schemas;
#[cfg(feature = "publish")]
use crate::stream::Reason;
use crate::{Envelope, OrderState};

/// An order went from one status to another. Its payment may have changed with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderStatusChanged {
    /// The order after the change.
    #[serde(flatten)]
    pub order: OrderState,
    /// The status before the change.
    #[cfg_attr(test, schemars(schema_with = "schemas::order_status"))]
    pub previous_status: OrderStatus,
    /// Why the order was cancelled, if it was and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(schema_with = "schemas::cancel_reason"))]
    pub cancel_reason: Option<CancelReason>,
    /// How to follow the parcel, if it was shipped and that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(schema_with = "schemas::tracking"))]
    pub tracking: Option<Tracking>,
    /// When the order changed.
    #[cfg_attr(test, schemars(schema_with = "schemas::timestamp"))]
    pub changed_at: Timestamp,
}

impl Detail for OrderStatusChanged {
    const SOURCE: &'static str = "storefront.orders";

    fn envelope(&self) -> Envelope {
        self.order.envelope(self.changed_at)
    }

    fn outline(&self) -> String {
        format!("{} -> {}", self.previous_status, self.order.status)
    }

    #[cfg(feature = "publish")]
    fn caused_by(write: &Write<'_>) -> Result<Option<Self>, Reason> {
        let Some((before, order)) = write.changed_order()? else { return Ok(None) };
        if before.status == order.status {
            return Ok(None);
        }
        Ok(Some(Self {
            order: OrderState::of(order),
            previous_status: before.status,
            cancel_reason: order.cancel_reason,
            tracking: order.tracking.clone(),
            changed_at: order.updated_at,
        }))
    }
}
