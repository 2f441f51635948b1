//! An order as the model has it, as the shop shows it, and the items that it has in the table.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use storefront_core::{
    CancelReason, OrderId, OrderNumber, OrderStatus, Payment, ProductId, Timestamp, UserId,
    Worklist,
};

use crate::engine::response::Response;
use crate::engine::table::{ANY_VALUE, Attributes, TableItems, expected_item, map_text};
use crate::entities::Model;
use crate::entities::values::{shipping_address, tracking};

#[derive(Clone)]
pub(crate) struct Order {
    pub(super) user: UserId,
    pub(super) status: OrderStatus,
    pub(super) payment: Payment,
    pub(super) refunded: u64,
    pub(super) cancel_reason: Option<CancelReason>,
    pub(super) pay_by: Option<Timestamp>,
    pub(super) currency: &'static str,
    pub(super) items: BTreeMap<ProductId, OrderItem>,
    /// By number.
    pub(super) address: Option<u8>,
    /// By number.
    pub(super) tracking: Option<u8>,
    pub(super) version: u64,
    /// Whether a request made this version.
    pub(super) was_requested: bool,
}

#[derive(Clone)]
pub(super) struct OrderItem {
    pub(super) name: String,
    pub(super) quantity: u64,
    pub(super) price: u64,
    /// How many pieces were taken from the stock: 0 if it was not counted.
    pub(super) taken: u64,
    /// The number of stock items that the product had, one of which they were taken from.
    pub(super) spread: u8,
}

/// The attribute of an order item that names a stock item.
const TAKEN_FROM: &str = "takenFrom";

/// Over how many partitions of the second index a list is spread.
const SHARDS: u8 = 8;

impl Order {
    pub(super) fn total(&self) -> u64 {
        self.items.values().map(|item| item.quantity * item.price).sum()
    }

    /// What can be paid back.
    pub(super) fn refundable(&self) -> u64 {
        match self.payment {
            Payment::Unpaid => 0,
            _ => self.total() - self.refunded,
        }
    }

    /// In a status in which the shop keeps no money.
    pub(super) fn end(&mut self, status: OrderStatus) {
        self.status = status;
        if self.refundable() > 0 {
            self.payment = Payment::RefundDue;
        }
    }

    /// Which list the shop has it in, if there is something to do.
    pub(super) fn worklist(&self) -> Option<Worklist> {
        if self.payment == Payment::RefundDue {
            return Some(Worklist::RefundDue);
        }
        match self.status {
            OrderStatus::Pending => Some(Worklist::Pending),
            OrderStatus::Paid => Some(Worklist::Paid),
            OrderStatus::Shipped => Some(Worklist::Shipped),
            _ => None,
        }
    }

    /// As a list shows it.
    pub(super) fn listed(&self, id: OrderId) -> Value {
        let mut body = json!({
            "id": id,
            "number": OrderNumber::from(id),
            "userId": self.user,
            "status": self.status,
            "payment": self.payment,
            "refundedAmount": self.refunded,
            "total": self.total(),
            "currency": self.currency,
            "version": self.version,
            "createdAt": id.created_at(),
        });
        if let Some(reason) = self.cancel_reason {
            body["cancelReason"] = json!(reason);
        }
        if let Some(pay_by) = self.pay_by {
            body["payBy"] = json!(pay_by);
        }
        body
    }

    /// By itself.
    fn body(&self, id: OrderId) -> Value {
        let mut body = self.listed(id);
        body["adjustments"] = json!([]);
        body["items"] = self
            .items
            .iter()
            .map(|(product, item)| {
                json!({
                    "productId": product,
                    "name": item.name,
                    "quantity": item.quantity,
                    "price": item.price,
                })
            })
            .collect();
        if let Some(number) = self.address {
            body["shippingAddress"] = shipping_address(number);
        }
        if let Some(number) = self.tracking {
            body["tracking"] = tracking(number);
        }
        body
    }

    fn item(&self, id: OrderId) -> ((String, String), Attributes) {
        let placed_at = id.created_at();
        let (key, mut attributes) = expected_item(
            "Order",
            &format!("USER#{}", self.user),
            &format!("ORDER#{placed_at}#{id}"),
            &[
                ("GSI1PK", &format!("ORDER#{id}")),
                ("GSI1SK", &format!("USER#{}", self.user)),
                ("id", &id.to_string()),
                ("userId", &self.user.to_string()),
                ("number", OrderNumber::from(id).as_str()),
                ("status", self.status.as_str()),
                ("payment", self.payment.as_str()),
                ("itemCount", &self.items.len().to_string()),
                ("total", &self.total().to_string()),
                ("currency", self.currency),
                ("version", &self.version.to_string()),
                ("createdAt", &placed_at.to_string()),
                ("updatedAt", ANY_VALUE),
            ],
        );
        let list = self.worklist();
        let optional = [
            ("refundedAmount", (self.refunded > 0).then(|| self.refunded.to_string())),
            ("cancelReason", self.cancel_reason.map(|reason| reason.to_string())),
            ("payBy", self.pay_by.map(|pay_by| pay_by.to_string())),
            ("shippingAddress", self.address.map(|number| map(&shipping_address(number)))),
            ("tracking", self.tracking.map(|number| map(&tracking(number)))),
            ("requestId", self.was_requested.then(|| ANY_VALUE.to_owned())),
            ("GSI2PK", list.map(|list| format!("STATUS#{list}#{}", shard(id)))),
            ("GSI2SK", list.map(|_| format!("{placed_at}#{id}"))),
        ];
        for (name, value) in optional {
            attributes.extend(value.map(|value| (name.to_owned(), value)));
        }
        (key, attributes)
    }
}

/// The last byte of an id is random.
fn shard(id: OrderId) -> u8 {
    id.as_bytes()[15] % SHARDS
}

fn map(body: &Value) -> String {
    map_text(&serde_json::from_value(body.clone()).expect("a map of texts"))
}

impl Model {
    pub(super) fn order_response(&self, status: i64, id: OrderId) -> Response {
        let order = self.orders.get(id).expect("an order of the model");
        Response::entity(status, order.body(id), order.version)
    }

    pub(in crate::entities) fn add_order_items(&self, items: &mut TableItems) {
        for (id, order) in self.orders.iter() {
            items.extend([order.item(id)]);
            items.extend(order.items.iter().map(|(product, item)| {
                let (key, mut attributes) = expected_item(
                    "OrderItem",
                    &format!("ORDER#{id}"),
                    &format!("ITEM#{product}"),
                    &[
                        ("orderId", &id.to_string()),
                        ("productId", &product.to_string()),
                        ("name", &item.name),
                        ("quantity", &item.quantity.to_string()),
                        ("price", &item.price.to_string()),
                        ("taken", &item.taken.to_string()),
                    ],
                );
                if item.taken > 0 {
                    attributes.insert(TAKEN_FROM.to_owned(), ANY_VALUE.to_owned());
                }
                (key, attributes)
            }));
        }
    }

    /// Accepts whichever of a product's stock items the shop has picked.
    pub(in crate::entities) fn accept_picked_stock_items(&self, table: &mut TableItems) {
        for (id, order) in self.orders.iter() {
            for (product, item) in &order.items {
                let key = (format!("ORDER#{id}"), format!("ITEM#{product}"));
                let Some(picked) = table.get_mut(&key).and_then(|item| item.get_mut(TAKEN_FROM))
                else {
                    continue;
                };
                if picked.parse::<u8>().is_ok_and(|number| number < item.spread) {
                    ANY_VALUE.clone_into(picked);
                }
            }
        }
    }
}
