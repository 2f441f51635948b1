//! Orders: the requests that clients send, and what must hold of orders, whatever was asked for. The
//! files of this folder say what must hold after what clients were told.

mod change;
mod expiry;
mod place;
mod refund;
mod state;

use std::collections::BTreeMap;

use storefront_core::schema::{self, IndexKey, Item, Key};
use storefront_core::{
    MAX_SPREAD, Order, OrderId, OrderItem, OrderStatus, ProductId, UserId, Version,
};

use super::{EntityId, Operation, Snapshot, Write};
use crate::engine::checker::Checker;
use crate::engine::snapshot::{entity, expect_keys, expect_worklist_key, text};
pub(crate) use expiry::{ExpiryRun, LetExpire};

/// How many of each product an order has.
type Quantities = BTreeMap<ProductId, u32>;

#[derive(Clone, Debug)]
pub(crate) enum OrderOperation {
    Place {
        user_id: UserId,
        key: Option<String>,
        items: Quantities,
        expected_total: Option<u64>,
    },
    ChangeStatus {
        id: OrderId,
        to: OrderStatus,
        /// Whether the order's customer asks for it.
        by_owner: bool,
        expected_version: Option<Version>,
    },
    Refund {
        id: OrderId,
        amount: u64,
        booked_by: UserId,
        key: String,
    },
}

impl Snapshot {
    pub(super) fn add_order(&mut self, item: &Item) -> Result<(), String> {
        let order: Order = entity(item)?;
        let index_key = IndexKey::order(order.user_id, order.id);
        expect_keys(item, Key::order(order.user_id, order.id), Some(index_key))?;
        expect_worklist_key(item, &order)?;
        self.orders.insert(order.id, order);
        Ok(())
    }

    pub(super) fn add_order_item(&mut self, item: &Item) -> Result<(), String> {
        let order_item: OrderItem = entity(item)?;
        let key = Key::order_item(order_item.order_id, order_item.product_id);
        expect_keys(item, key, None)?;
        self.order_items.entry(order_item.order_id).or_default().push(order_item);
        Ok(())
    }

    pub(super) fn add_idempotency_key(&mut self, item: &Item) -> Result<(), String> {
        let (pk, key) = (text(item, schema::PK), text(item, schema::SK));
        let user_id = schema::user_of_idempotency_keys(&pk).ok_or("is not in its partition")?;
        let result = text(item, "resultId");
        let malformed = |_| "has no valid id".to_owned();
        if key.starts_with("product-") {
            self.keys_of_products.insert(key, result.parse().map_err(malformed)?);
        } else if key.starts_with("stock-") {
            self.keys_of_stock_changes.insert(key, result.parse().map_err(malformed)?);
        } else if key.starts_with("refund-") {
            let order_id = result.parse().map_err(malformed)?;
            self.keys_of_refunds.insert((user_id, key), order_id);
        } else {
            let order_id = result.parse().map_err(malformed)?;
            self.idempotency_keys.insert((user_id, key), order_id);
        }
        Ok(())
    }

    /// An order exists with all its items or not at all.
    pub(super) fn check_orders(&self, violations: &mut Vec<String>) {
        for order in self.orders.values() {
            let items = self.order_items.get(&order.id).map_or(&[][..], Vec::as_slice);
            let (id, count) = (order.id, items.len());
            if items.is_empty() || order.item_count != count {
                violations.push(format!("order {id} has {count} of {} items", order.item_count));
            }
            for item in items {
                let (taken, from) = (item.taken, item.taken_from);
                let is_consistent = match taken {
                    Some(0) => from.is_none(),
                    Some(taken) => taken == item.quantity && from < Some(MAX_SPREAD),
                    None => false,
                };
                if !is_consistent {
                    let quantity = item.quantity;
                    violations.push(format!(
                        "order {id} took {taken:?} from {from:?} for {quantity} pieces"
                    ));
                }
            }
            let total: u64 = items.iter().map(|item| item.price * u64::from(item.quantity)).sum();
            if order.total != total {
                violations.push(format!("order {id} has total {}, not {total}", order.total));
            }
            if order.created_at != id.created_at() {
                violations.push(format!("order {id} was not created at the time in its id"));
            }
            self.check_state(order, violations);
        }
        for order_id in self.order_items.keys() {
            if !self.orders.contains_key(order_id) {
                violations.push(format!("order {order_id} has items, but does not exist"));
            }
        }
    }
}

impl Checker<'_> {
    pub(super) fn check_orders(&self, violations: &mut Vec<String>) {
        self.check_placements(violations);
        self.check_statuses(violations);
        self.check_refunds(violations);
    }
}

impl OrderOperation {
    pub(super) fn write(&self) -> Option<Write> {
        match *self {
            Self::Place { .. } | Self::Refund { .. } => None,
            Self::ChangeStatus { id, expected_version, .. } => {
                Some(Write { entity: EntityId::Order(id), is_deletion: false, expected_version })
            }
        }
    }
}

impl From<OrderOperation> for Operation {
    fn from(operation: OrderOperation) -> Self {
        Self::Order(operation)
    }
}
