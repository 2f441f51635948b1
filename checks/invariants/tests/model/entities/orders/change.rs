//! Showing orders, and changing their status.

use storefront_core::{CancelReason, OrderId, OrderStatus, Payment, Timestamp, UserId};

use super::OrderRef;
use crate::engine::response::{Response, forbidden, invalid_body, version_mismatch};
use crate::engine::script::is_stale;
use crate::entities::Model;

/// What a client asks for.
#[derive(Clone, Copy)]
pub(super) struct NewStatus {
    pub(super) to: OrderStatus,
    pub(super) tracking: Option<u8>,
    /// The version that the client expects.
    pub(super) expected: Option<u64>,
}

impl NewStatus {
    /// Tracking comes only with a shipped order.
    pub(super) fn is_valid(self) -> bool {
        self.tracking.is_none() || self.to == OrderStatus::Shipped
    }
}

impl Model {
    pub(super) fn order_version(&self, id: OrderId) -> Option<u64> {
        self.orders.get(id).map(|order| order.version)
    }

    /// When the order was placed, if it was.
    pub(super) fn ordered_at(&self, order: OrderRef) -> Option<Timestamp> {
        let id = self.orders.nth(order);
        self.orders.get(id).map(|_| id.created_at())
    }

    /// A customer sees only their own.
    pub(super) fn show_order(&self, id: OrderId, restricted_to: Option<UserId>) -> Response {
        if self.is_visible(id, restricted_to) {
            self.order_response(200, id)
        } else {
            order_not_found()
        }
    }

    /// A customer may only cancel.
    pub(super) fn change_status(
        &mut self,
        id: OrderId,
        new: NewStatus,
        restricted_to: Option<UserId>,
    ) -> Response {
        if !new.is_valid() {
            return invalid_body();
        }
        if !self.is_visible(id, restricted_to) {
            return order_not_found();
        }
        if restricted_to.is_some() && new.to != OrderStatus::Cancelled {
            return forbidden();
        }
        let order = self.orders.get_mut(id).expect("visible");
        if is_stale(new.expected, order.version) {
            return version_mismatch();
        }
        match (order.status, new.to) {
            (OrderStatus::Shipped, OrderStatus::Shipped)
                if new.tracking.is_some() && new.tracking != order.tracking =>
            {
                return invalid_status_change();
            }
            (status, to) if status == to => return self.order_response(200, id),
            // The money came too late, and is noted once.
            (OrderStatus::Cancelled, OrderStatus::Paid) => {
                if order.payment != Payment::Unpaid {
                    return self.order_response(200, id);
                }
                order.payment = Payment::RefundDue;
            }
            (OrderStatus::Pending, OrderStatus::Paid) => {
                order.status = OrderStatus::Paid;
                order.payment = Payment::Paid;
                order.pay_by = None;
            }
            (OrderStatus::Paid, OrderStatus::Shipped) => {
                order.status = OrderStatus::Shipped;
                order.tracking = new.tracking;
            }
            (OrderStatus::Shipped, OrderStatus::Delivered) => order.status = OrderStatus::Delivered,
            // Nothing goes back into the stock: the goods are looked at first.
            (OrderStatus::Shipped | OrderStatus::Delivered, OrderStatus::Returned) => {
                order.end(OrderStatus::Returned);
            }
            (OrderStatus::Pending | OrderStatus::Paid, OrderStatus::Cancelled) => {
                let reason = match restricted_to {
                    Some(_) => CancelReason::Customer,
                    None => CancelReason::Shop,
                };
                self.cancel(id, reason);
            }
            _ => return invalid_status_change(),
        }
        let order = self.orders.get_mut(id).expect("visible");
        order.version += 1;
        order.was_requested = true;
        self.order_response(200, id)
    }

    /// Cancels an order, and puts back what it took.
    pub(super) fn cancel(&mut self, id: OrderId, reason: CancelReason) {
        let Some(order) = self.orders.get_mut(id) else { return };
        order.end(OrderStatus::Cancelled);
        order.cancel_reason = Some(reason);
        order.pay_by = None;
        for (id, item) in &order.items {
            let Some(product) = self.products.get_mut(*id) else { continue };
            if let Some(stock) = &mut product.stock {
                *stock += item.taken;
            }
        }
    }

    fn is_visible(&self, id: OrderId, restricted_to: Option<UserId>) -> bool {
        self.orders.get(id).is_some_and(|order| restricted_to.is_none_or(|user| user == order.user))
    }
}

fn invalid_status_change() -> Response {
    Response::problem(409, "invalid_status_change")
}

pub(super) fn order_not_found() -> Response {
    Response::problem(404, "order_not_found")
}
