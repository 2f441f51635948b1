//! An order and its items, as stored in the table.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    Address, Adjustment, CancelReason, OrderNumber, OrderStatus, Payment, Tracking, Worklist,
};
use crate::before_0_2;
use crate::change::Change;
use crate::schema::{self, IndexKey, Item, ItemType, Key, WorklistKey};
use crate::{
    Currency, Error, Name, OrderId, ProductId, RequestId, Result, Timestamp, UserId, Version,
    request_id,
};

/// An order without its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct Order {
    pub id: OrderId,
    pub user_id: UserId,
    /// See [`Order::number`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<OrderNumber>,
    pub status: OrderStatus,
    /// See [`Order::payment`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// What has been paid back, in the currency's minor unit.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refunded_amount: u64,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<CancelReason>,
    /// Until when it is held for a customer who has not paid. `None` for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by: Option<Timestamp>,
    /// The number of items. Tells a complete order from one read in the middle of its transaction.
    pub item_count: usize,
    /// What is added to the prices of the items, or taken off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<Adjustment>,
    /// All items and adjustments, in the currency's minor unit (cents).
    pub total: u64,
    pub currency: Currency,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
    pub version: Version,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The request that last changed it, if known.
    #[serde(
        default,
        deserialize_with = "request_id::if_valid",
        skip_serializing_if = "Option::is_none"
    )]
    pub request_id: Option<RequestId>,
}

/// One product of an order, with its name and price at the time of the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderItem {
    pub order_id: OrderId,
    pub product_id: ProductId,
    pub name: Name,
    pub quantity: u32,
    /// Of one piece, in the currency's minor unit (cents).
    pub price: u64,
    /// How many pieces were taken from the stock: 0 if it was not counted. `None` if that is not
    /// known, because version 0.1 placed the order or it was migrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<u32>,
    /// The number of the stock item that they were taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<u8>,
}

/// An order with all its items, sorted by product id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderWithItems {
    pub order: Order,
    pub items: Vec<OrderItem>,
}

impl Order {
    /// A new order, which nobody has paid, of this many items.
    #[must_use]
    pub fn new(
        id: OrderId,
        user_id: UserId,
        item_count: usize,
        total: u64,
        currency: Currency,
    ) -> Self {
        Self {
            id,
            user_id,
            number: Some(id.into()),
            status: OrderStatus::Pending,
            payment: Some(Payment::Unpaid),
            refunded_amount: 0,
            cancel_reason: None,
            pay_by: None,
            item_count,
            adjustments: Vec::new(),
            total,
            currency,
            shipping_address: None,
            tracking: None,
            version: 1,
            created_at: id.created_at(),
            updated_at: id.created_at(),
            request_id: None,
        }
    }

    /// What customers know the order by. Orders of version 0.1 do not store it; theirs is made from the
    /// id, as that of new orders.
    #[must_use]
    pub fn number(&self) -> OrderNumber {
        self.number.clone().unwrap_or_else(|| self.id.into())
    }

    /// Where the money is. Orders of version 0.1 do not store it; theirs follows from the status. Whether
    /// one that was cancelled had been paid is not known, and it counts as unpaid.
    #[must_use]
    pub const fn payment(&self) -> Payment {
        match (self.payment, self.status) {
            (Some(stored), status) => {
                before_0_2::payment(stored, status, self.total > self.refunded_amount)
            }
            (None, OrderStatus::Pending | OrderStatus::Cancelled) => Payment::Unpaid,
            (None, _) => Payment::Paid,
        }
    }

    /// What can still be paid back, in the currency's minor unit.
    #[must_use]
    pub const fn refundable(&self) -> u64 {
        match self.payment() {
            Payment::Unpaid | Payment::Refunded => 0,
            Payment::Paid | Payment::RefundDue => self.total.saturating_sub(self.refunded_amount),
        }
    }

    /// What the shop has to do with the order, if anything.
    #[must_use]
    pub const fn worklist(&self) -> Option<Worklist> {
        match (self.status, self.payment()) {
            (_, Payment::RefundDue) => Some(Worklist::RefundDue),
            (OrderStatus::Pending, _) => Some(Worklist::Pending),
            (OrderStatus::Paid, _) => Some(Worklist::Paid),
            (OrderStatus::Shipped, _) => Some(Worklist::Shipped),
            (OrderStatus::Delivered | OrderStatus::Returned | OrderStatus::Cancelled, _) => None,
        }
    }

    pub(super) fn key(&self) -> Key {
        Key::order(self.user_id, self.id)
    }

    /// The next version of the order, for a change at this time by this request.
    pub(super) fn next(&self, now: Timestamp, request_id: Option<&RequestId>) -> Self {
        Self {
            number: Some(self.number()),
            payment: Some(self.payment()),
            version: self.version + 1,
            updated_at: now,
            request_id: request_id.cloned(),
            ..self.clone()
        }
    }

    /// The change that makes this order from an earlier version of it, on condition that it still is at
    /// that version.
    pub(super) fn change_from(&self, before: &Self) -> Result<Change> {
        /// What may be in the table without being in the order that was read: the index's keys before
        /// they were filled, the id of a request that is not valid, who loaded the order, and the time
        /// by which the order of a user who has been deleted since has to be paid.
        const UNSEEN: [&str; 5] =
            [schema::GSI2PK, schema::GSI2SK, "requestId", schema::ORIGIN, "payBy"];
        let (before_item, after) = (before.to_item()?, self.to_item()?);
        let mut change = Change::unseen().require_version(Some(before.version));
        let names: BTreeSet<&str> = before_item.keys().map(String::as_str).chain(UNSEEN).collect();
        for name in names.into_iter().filter(|name| !after.contains_key(*name)) {
            change = change.remove(name);
        }
        for (name, value) in after {
            if before_item.get(&name) != Some(&value) || UNSEEN.contains(&name.as_str()) {
                change = change.set(&name, value);
            }
        }
        Ok(change)
    }

    pub(super) fn to_item(&self) -> Result<Item> {
        let index_key = IndexKey::order(self.user_id, self.id);
        let mut item = schema::item(ItemType::Order, self.key(), Some(index_key), self)?;
        let worklist = self.worklist().map(|list| WorklistKey::order(list, self.id));
        item.extend(worklist.map(Item::from).into_iter().flatten());
        Ok(item)
    }
}

impl OrderItem {
    fn to_item(&self) -> Result<Item> {
        let key = Key::order_item(self.order_id, self.product_id);
        schema::item(ItemType::OrderItem, key, None, self)
    }
}

impl OrderWithItems {
    /// Returns an order's items in the table: the order, and then its order items. For programs
    /// that fill a table in bulk. [`Orders::place`](crate::Orders::place) writes these items, and
    /// takes the products' stock.
    pub fn to_items(&self) -> Result<Vec<Item>> {
        let items = self.items.iter().map(OrderItem::to_item);
        std::iter::once(self.order.to_item()).chain(items).collect()
    }

    pub(super) fn is_complete(&self) -> bool {
        self.order.item_count == self.items.len()
    }
}

/// Returns the price of all items with the adjustments, in the currency's minor unit. The items cannot
/// overflow: 48 items of at most 999 pieces at 10^12 each stay below 2^56.
///
/// Fails if the adjustments take off more than the items cost.
pub(super) fn total(items: &[OrderItem], adjustments: &[Adjustment]) -> Result<u64> {
    let items: u64 = items.iter().map(|item| item.price * u64::from(item.quantity)).sum();
    let sum = adjustments
        .iter()
        .try_fold(i128::from(items), |sum, adjustment| sum.checked_add(adjustment.amount.into()));
    let total = sum.and_then(|sum| u64::try_from(sum).ok());
    total.ok_or_else(|| Error::Item("the adjustments make the order's total negative".to_owned()))
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(amount: &u64) -> bool {
    *amount == 0
}
