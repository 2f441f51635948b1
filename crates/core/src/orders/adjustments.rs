//! What is added to the prices of an order's items, or taken off: the one place where a shop decides
//! shipping, discounts, taxes and rounding.

use serde::{Deserialize, Serialize};

use super::{Address, OrderItem};

/// An amount that is part of an order's total without being the price of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// What it is for.
    pub kind: AdjustmentKind,
    /// For the customer, such as `Standard delivery`.
    #[cfg_attr(feature = "openapi", schema(example = "Standard delivery"))]
    pub label: String,
    /// In the currency's minor unit, negative to take it off.
    #[cfg_attr(feature = "openapi", schema(example = 490))]
    pub amount: i64,
}

/// What an adjustment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum AdjustmentKind {
    Shipping,
    Discount,
    Tax,
    Rounding,
}

/// Decides the adjustments of a new order, from its items at their current prices and where it is sent.
///
/// By default there are none: the prices are what customers pay. A shop that charges for delivery, or
/// gives discounts, decides here and nowhere else. The total of the order, `expectedTotal` and what can
/// be refunded follow. It must not take off more than the items cost, and must give the same answer for
/// the same arguments: an order is priced again when a product changed meanwhile.
pub(super) fn adjustments(_items: &[OrderItem], _address: Option<&Address>) -> Vec<Adjustment> {
    Vec::new()
}
