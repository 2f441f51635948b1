use serde::{Deserialize, Serialize};
use storefront_core::{Payment, Timestamp};

use crate::event::Detail;
#[cfg(feature = "publish")]
use crate::record::Write;
#[cfg(test)]
use crate::schemas;
#[cfg(feature = "publish")]
use crate::stream::Reason;
use crate::{Envelope, OrderState};

/// Where the money of an order is changed, or how much of it was paid back, while the order's status
/// stayed the same. If the status changed too, there is an `OrderStatusChanged` instead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPaymentChanged {
    /// The order after the change.
    #[serde(flatten)]
    pub order: OrderState,
    /// Where the money was before the change. A part of it may have been paid back since: then it is
    /// the same as `payment`, and `refundedAmount` has grown.
    #[cfg_attr(test, schemars(schema_with = "schemas::payment"))]
    pub previous_payment: Payment,
    /// What had been paid back before the change, in the currency's minor unit.
    pub previous_refunded_amount: u64,
    /// When the order changed.
    #[cfg_attr(test, schemars(schema_with = "schemas::timestamp"))]
    pub changed_at: Timestamp,
}

impl Detail for OrderPaymentChanged {
    const SOURCE: &'static str = "storefront.orders";

    fn envelope(&self) -> Envelope {
        self.order.envelope(self.changed_at)
    }

    fn outline(&self) -> String {
        format!("payment {} -> {}", self.previous_payment, self.order.payment)
    }

    #[cfg(feature = "publish")]
    fn caused_by(write: &Write<'_>) -> Result<Option<Self>, Reason> {
        let Some((before, order)) = write.changed_order()? else { return Ok(None) };
        let is_same =
            before.payment() == order.payment() && before.refunded_amount == order.refunded_amount;
        if before.status != order.status || is_same {
            return Ok(None);
        }
        Ok(Some(Self {
            order: OrderState::of(order),
            previous_payment: before.payment(),
            previous_refunded_amount: before.refunded_amount,
            changed_at: order.updated_at,
        }))
    }
}
