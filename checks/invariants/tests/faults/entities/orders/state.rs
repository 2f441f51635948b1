//! What must hold of an order by itself: its status, its payment and its version tell the same story.

use std::ops::RangeInclusive;

use storefront_core::{Order, OrderStatus, Payment};

use crate::entities::Snapshot;

impl Snapshot {
    pub(super) fn check_state(&self, order: &Order, violations: &mut Vec<String>) {
        let (id, status, payment) = (order.id, order.status, order.payment());
        let (total, refunded) = (order.total, order.refunded_amount);
        if !has_payment(order) {
            violations.push(format!(
                "order {id} is {status} and {payment}, with {refunded} of {total} paid back"
            ));
        }
        let refunds =
            self.keys_of_refunds.values().filter(|refunded| **refunded == id).count() as u64;
        let changes = changes(order);
        let versions = 1 + refunds + changes.start()..=1 + refunds + changes.end();
        if !versions.contains(&order.version) {
            violations.push(format!(
                "order {id} is {status} and {payment}, was refunded {refunds} times, and has version {}",
                order.version
            ));
        }
        let is_cancelled = status == OrderStatus::Cancelled;
        if order.cancel_reason.is_some() != is_cancelled {
            violations
                .push(format!("order {id} is {status}, because of {:?}", order.cancel_reason));
        }
        if order.pay_by.is_some() && status != OrderStatus::Pending {
            violations
                .push(format!("order {id} is {status}, and to be paid by {:?}", order.pay_by));
        }
        let was_shipped = statuses_reached(order).contains(&OrderStatus::Shipped);
        if order.tracking.is_some() && !was_shipped {
            violations.push(format!("order {id} is {status}, and has {:?}", order.tracking));
        }
    }
}

/// Whether an order has the payment that goes with its status and with what was paid back.
fn has_payment(order: &Order) -> bool {
    let (payment, refunded) = (order.payment(), order.refunded_amount);
    if refunded > order.total {
        return false;
    }
    let is_free = order.total == 0;
    match payment {
        Payment::Unpaid => {
            let is_unpaid = [OrderStatus::Pending, OrderStatus::Cancelled].contains(&order.status);
            is_unpaid && refunded == 0 && !is_free
        }
        _ if order.status == OrderStatus::Pending => false,
        Payment::Refunded => refunded == order.total && !is_free,
        Payment::Paid => {
            let is_open = ![OrderStatus::Returned, OrderStatus::Cancelled].contains(&order.status);
            is_free || is_open && refunded < order.total
        }
        Payment::RefundDue => {
            let is_ended = [OrderStatus::Returned, OrderStatus::Cancelled].contains(&order.status);
            is_ended && refunded < order.total
        }
    }
}

/// How many changes made an order what it is, without its refunds. A payment that came too late for a
/// cancelled order is one. One that is free was placed as paid.
fn changes(order: &Order) -> RangeInclusive<u64> {
    let paid = u64::from(order.total > 0);
    match order.status {
        OrderStatus::Pending => 0..=0,
        OrderStatus::Paid => paid..=paid,
        OrderStatus::Delivered => paid + 2..=paid + 2,
        // After it was shipped or delivered.
        OrderStatus::Returned => paid + 2..=paid + 3,
        OrderStatus::Cancelled if order.payment() == Payment::Unpaid => 1..=1,
        // Of an order that was cancelled: cancelled and paid, whichever came first.
        OrderStatus::Shipped | OrderStatus::Cancelled => paid + 1..=paid + 1,
    }
}

/// The statuses that changes gave an order for certain, the current one included.
pub(super) fn statuses_reached(order: &Order) -> Vec<OrderStatus> {
    use OrderStatus::{Cancelled, Delivered, Paid, Pending, Returned, Shipped};
    let mut reached = Vec::new();
    if order.payment() != Payment::Unpaid && order.total > 0 {
        reached.push(Paid);
    }
    reached.extend_from_slice(match order.status {
        Pending | Paid => &[],
        Shipped => &[Shipped],
        Delivered => &[Shipped, Delivered],
        Returned => &[Shipped, Returned],
        Cancelled => &[Cancelled],
    });
    reached
}

/// Whether an order has, or may have had, this status. A payment that came too late for a cancelled order
/// counts as paid.
pub(super) fn may_have_been(order: &Order, status: OrderStatus) -> bool {
    let is_returned = order.status == OrderStatus::Returned;
    statuses_reached(order).contains(&status)
        || status == OrderStatus::Delivered && is_returned
        || status == OrderStatus::Paid && order.total == 0
}
