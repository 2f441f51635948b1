//! Booking refunds.

use storefront_core::{OrderId, OrderStatus, Payment, UserId};

use super::change::order_not_found;
use crate::engine::response::{Response, invalid_body};
use crate::entities::Model;
use crate::entities::idempotency_keys::{KeyedRequest, key_reused};

/// How much is paid back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Amount {
    Of(u64),
    /// All that can be paid back as the client knows it, or 1.
    Rest,
}

impl Model {
    pub(super) fn refund_amount(&self, id: OrderId, amount: Amount) -> u64 {
        match amount {
            Amount::Of(amount) => amount,
            Amount::Rest => self.orders.get(id).map_or(1, |order| order.refundable().max(1)),
        }
    }

    /// Books a refund, once for each key.
    pub(super) fn refund(&mut self, id: OrderId, amount: u64, key: (UserId, u8)) -> Response {
        if amount == 0 {
            return invalid_body();
        }
        let Some(order) = self.orders.get_mut(id) else { return order_not_found() };
        match self.idempotency_keys.get(&key) {
            Some(KeyedRequest::Refund { id: first, amount: first_amount })
                if (*first, *first_amount) == (id, amount) =>
            {
                return Response { is_replayed: true, ..self.order_response(200, id) };
            }
            Some(_) => return key_reused(),
            None => {}
        }
        if order.payment == Payment::Unpaid {
            return Response::problem(409, "not_paid");
        }
        if amount > order.refundable() {
            return Response::problem(409, "refund_too_large");
        }
        order.refunded += amount;
        if order.refundable() == 0 {
            order.payment = Payment::Refunded;
        } else if ![OrderStatus::Cancelled, OrderStatus::Returned].contains(&order.status) {
            order.payment = Payment::Paid;
        }
        order.version += 1;
        order.was_requested = true;
        self.idempotency_keys.insert(key, KeyedRequest::Refund { id, amount });
        self.order_response(200, id)
    }
}
