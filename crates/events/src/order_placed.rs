use serde::{Deserialize, Serialize};
use storefront_core::Timestamp;

use crate::event::Detail;
#[cfg(feature = "publish")]
use crate::record::Write;
#[cfg(test)]
use crate::schemas;
#[cfg(feature = "publish")]
use crate::stream::Reason;
use crate::{Envelope, OrderState};

/// A customer placed an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct OrderPlaced {
    /// The order.
    #[serde(flatten)]
    pub order: OrderState,
    /// How many different products the order has.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub item_count: u64,
    /// Until when the order is held for a customer who has not paid, if not for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(schema_with = "schemas::timestamp"))]
    pub pay_by: Option<Timestamp>,
    /// When the order was placed.
    #[cfg_attr(test, schemars(schema_with = "schemas::timestamp"))]
    pub placed_at: Timestamp,
}

impl Detail for OrderPlaced {
    const SOURCE: &'static str = "storefront.orders";

    fn envelope(&self) -> Envelope {
        self.order.envelope(self.placed_at)
    }

    fn outline(&self) -> String {
        "placed".to_owned()
    }

    #[cfg(feature = "publish")]
    fn caused_by(write: &Write<'_>) -> Result<Option<Self>, Reason> {
        let Some(order) = write.placed_order()? else { return Ok(None) };
        Ok(Some(Self {
            order: OrderState::of(order),
            item_count: order.item_count as u64,
            pay_by: order.pay_by,
            placed_at: order.created_at,
        }))
    }
}
