//! Changing the status of orders.

use serde_json::json;
use storefront_core::{CancelReason, Order, OrderId, OrderStatus};
use storefront_testing::Persona;

use super::OrderOperation;
use super::state::{may_have_been, statuses_reached};
use crate::engine::checker::Checker;
use crate::engine::client::{Client, with_if_match};
use crate::engine::history::Outcome;
use crate::entities::Operation;

impl Client {
    /// Changes an order's status, mostly to one that it may have next, up to three times.
    pub(in crate::entities) async fn change_status(&mut self) {
        let Some((id, owner)) = self.order() else { return };
        for _ in 0..self.random.usize(1..=3) {
            let to = self.next_status(id).await;
            let by = self.mover(owner, to);
            let path = format!("/orders/{id}");
            let expected_version = self.expected_version(self.shop.orders.get(&path).by(by)).await;
            self.send_status(id, owner, by, to, expected_version).await;
        }
    }

    pub(super) async fn send_status(
        &self,
        id: OrderId,
        owner: Persona,
        by: Persona,
        to: OrderStatus,
        expected_version: Option<u64>,
    ) {
        let mut body = json!({ "status": to.as_str() });
        if to == OrderStatus::Shipped {
            body["tracking"] = json!({ "number": "P-1" });
        }
        let request = self.shop.orders.patch(format!("/orders/{id}")).json(body).by(by);
        let request = with_if_match(request, expected_version);
        let by_owner = by.user_id == owner.user_id;
        let operation = OrderOperation::ChangeStatus { id, to, by_owner, expected_version };
        self.send(operation, request).await;
    }

    /// An order that was placed, and its customer: mostly one of the first, so that clients meet.
    pub(super) fn order(&mut self) -> Option<(OrderId, Persona)> {
        let orders = self.scenario.orders.lock().unwrap();
        let among = if self.random.bool() { orders.len().min(2) } else { orders.len() };
        (among > 0).then(|| orders[self.random.usize(..among)])
    }

    /// Somebody who works for the shop.
    pub(super) fn worker(&mut self) -> Persona {
        if self.random.bool() { self.scenario.admin } else { self.scenario.staff }
    }

    /// Who changes an order to this status.
    pub(super) fn mover(&mut self, owner: Persona, to: OrderStatus) -> Persona {
        let is_customer = to == OrderStatus::Cancelled && self.random.bool();
        if is_customer { owner } else { self.worker() }
    }

    async fn next_status(&mut self, id: OrderId) -> OrderStatus {
        use OrderStatus::{Cancelled, Delivered, Paid, Returned, Shipped};
        if self.random.u8(..4) == 0 {
            return [Paid, Shipped, Delivered, Returned, Cancelled][self.random.usize(..5)];
        }
        let read = self.shop.orders.get(format!("/orders/{id}")).by(self.scenario.admin);
        let order = self.send(Operation::Read, read).await;
        let next: &[OrderStatus] = match order.body["status"].as_str() {
            Some("pending") => &[Paid, Paid, Cancelled],
            Some("paid") => &[Shipped, Shipped, Cancelled],
            Some("shipped") => &[Delivered, Returned],
            Some("delivered" | "returned") => &[Returned],
            _ => &[Paid],
        };
        next[self.random.usize(..next.len())]
    }
}

impl Checker<'_> {
    /// An acknowledged status was reached, and nobody's order has one that was not asked for. So money
    /// that was acknowledged is never without a trace.
    pub(super) fn check_statuses(&self, violations: &mut Vec<String>) {
        for exchange in self.exchanges {
            let Operation::Order(OrderOperation::ChangeStatus { id, to, .. }) = exchange.operation
            else {
                continue;
            };
            if exchange.outcome() != Outcome::Acknowledged {
                continue;
            }
            let body = &exchange.answer.body;
            let came_too_late = to == OrderStatus::Paid
                && body["status"] == "cancelled"
                && body["payment"] != "unpaid";
            if body["status"] != to.as_str() && !came_too_late {
                violations.push(format!("order {id} was answered as {body}, not {to}"));
            }
            let Some(order) = self.after.orders.get(&id) else {
                violations.push(format!("order {id} became {to}, but does not exist"));
                continue;
            };
            if !may_have_been(order, to) {
                let (status, payment) = (order.status, order.payment());
                violations.push(format!("order {id} became {to}, but is {status} and {payment}"));
            }
        }
        for order in self.after.orders.values() {
            for status in statuses_reached(order) {
                if !self.was_asked_for(order, status) {
                    let (id, reason) = (order.id, order.cancel_reason);
                    violations.push(format!(
                        "order {id} became {status} ({reason:?}), and nobody asked for it"
                    ));
                }
            }
        }
    }

    /// Whether somebody asked for this status who could, and was not refused. The expiry asks for
    /// nothing: see `expiry.rs`.
    fn was_asked_for(&self, order: &Order, status: OrderStatus) -> bool {
        let is_cancelled = status == OrderStatus::Cancelled;
        if is_cancelled && order.cancel_reason == Some(CancelReason::Expired) {
            return true;
        }
        let is_customers = order.cancel_reason == Some(CancelReason::Customer);
        self.exchanges.iter().any(|exchange| match exchange.operation {
            Operation::Order(OrderOperation::ChangeStatus { id, to, by_owner, .. }) => {
                (id, to) == (order.id, status)
                    && (!is_cancelled || by_owner == is_customers)
                    && exchange.outcome() != Outcome::Rejected
            }
            _ => false,
        })
    }
}
