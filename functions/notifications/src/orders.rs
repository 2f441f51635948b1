//! Which events of orders customers are written to about.

use storefront_core::OrderStatus;
use storefront_events::{Event, OrderState};

use crate::mail::News;

/// Returns what an event tells the customer; `None` if there is no mail about it.
///
/// There is none about a return, because the customer has sent it, and none about a payment that changed
/// without money being paid back. A refund in parts is a mail for each part.
pub(crate) fn news(event: &Event) -> Option<News<'_>> {
    match event {
        Event::OrderPlaced(placed) => Some(News::Placed { pay_by: placed.pay_by }),
        Event::OrderStatusChanged(changed) => match changed.order.status {
            OrderStatus::Paid => Some(News::Paid),
            OrderStatus::Shipped => Some(News::Shipped { tracking: changed.tracking.as_ref() }),
            OrderStatus::Delivered => Some(News::Delivered),
            OrderStatus::Cancelled => Some(News::Cancelled { reason: changed.cancel_reason }),
            OrderStatus::Pending | OrderStatus::Returned => None,
        },
        Event::OrderPaymentChanged(changed) => {
            let before = changed.previous_refunded_amount;
            let amount = changed.order.refunded_amount.checked_sub(before)?;
            (amount > 0).then_some(News::Refunded { amount })
        }
    }
}

/// The order after an event.
pub(crate) const fn state(event: &Event) -> &OrderState {
    match event {
        Event::OrderPlaced(placed) => &placed.order,
        Event::OrderStatusChanged(changed) => &changed.order,
        Event::OrderPaymentChanged(changed) => &changed.order,
    }
}
