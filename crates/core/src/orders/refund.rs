//! Booking what was paid back for an order.

use super::{Order, OrderStatus, OrderWithItems, Payment};
use crate::idempotency::{KeyedRequest, Once};
use crate::schema::{self, ItemType};
use crate::transaction::{self, Outcome};
use crate::{
    Error, IdempotencyKey, OrderAccess, OrderId, Orders, RequestId, Result, Timestamp, UserId,
};

/// Money that was paid back, all or a part.
#[derive(Clone, Debug)]
pub struct Refund {
    /// In the currency's minor unit; not 0.
    pub amount: u64,
    /// Who books it.
    pub booked_by: UserId,
    /// Their key for this refund. Without one, a refund whose answer was lost would be booked twice.
    pub idempotency_key: IdempotencyKey,
    /// The request that books it, if known.
    pub request_id: Option<RequestId>,
}

impl Orders {
    /// Books a refund, once for each key of a user. When all that was paid is paid back, the order's
    /// payment is [`Payment::Refunded`].
    ///
    /// Rejects an order that nobody paid ([`Error::NotPaid`]) and more than was paid and not paid back
    /// yet ([`Error::RefundTooLarge`]).
    pub async fn refund(&self, id: OrderId, refund: Refund) -> Result<Once<OrderWithItems>> {
        let content = (id, refund.amount);
        let key = refund.idempotency_key.clone();
        let keyed = KeyedRequest::new(refund.booked_by, key, "refund an order", &content)?;
        let found = self.find(OrderAccess::Any, id).await?;
        let OrderWithItems { mut order, items } = found.ok_or(Error::OrderNotFound)?;
        if refund.decide(&order, Timestamp::now()).is_err() {
            // That may have been an old state.
            order = self.order_now(order.user_id, id).await?.ok_or(Error::OrderNotFound)?;
        }
        // This ends: if a write is rejected, the order has moved on, and it only moves forward.
        loop {
            let now = Timestamp::now();
            let after = match refund.decide(&order, now) {
                Ok(after) => after,
                // The reason may be this very refund.
                Err(refusal) => {
                    let earlier = keyed.earlier_now::<OrderId>(&self.table).await?;
                    earlier.ok_or(refusal)?;
                    // It may have been booked since the order was read.
                    let order = self.order_now(order.user_id, id).await?;
                    let order = order.ok_or(Error::OrderNotFound)?;
                    return Ok(Once { value: OrderWithItems { order, items }, replayed: true });
                }
            };
            let change = after.change_from(&order)?;
            let actions = vec![
                change.into_action(&self.table, order.key())?,
                keyed.action(&self.table, id, now)?,
            ];
            let mut failed = match transaction::write(&self.table, actions).await? {
                Outcome::Written => {
                    return Ok(Once {
                        value: OrderWithItems { order: after, items },
                        replayed: false,
                    });
                }
                Outcome::Cancelled(failed) => failed,
            };
            let (current, record) = (failed.remove(&0), failed.remove(&1));
            let replayed = match record.flatten() {
                Some(record) => keyed.earlier_result::<OrderId>(record, now)?.is_some(),
                None => false,
            };
            order = match current {
                Some(item) => schema::entity(ItemType::Order, item.ok_or(Error::OrderNotFound)?)?,
                None => self.order_now(order.user_id, id).await?.ok_or(Error::OrderNotFound)?,
            };
            if replayed {
                return Ok(Once { value: OrderWithItems { order, items }, replayed });
            }
        }
    }
}

impl Refund {
    /// Returns the order after this refund, or why it cannot be booked.
    fn decide(&self, order: &Order, now: Timestamp) -> Result<Order> {
        if order.payment() == Payment::Unpaid {
            return Err(Error::NotPaid);
        }
        let left = order.refundable();
        if self.amount > left {
            return Err(Error::RefundTooLarge { left });
        }
        let ended = matches!(order.status, OrderStatus::Cancelled | OrderStatus::Returned);
        let payment = match self.amount == left {
            true => Payment::Refunded,
            false if ended => Payment::RefundDue,
            false => Payment::Paid,
        };
        Ok(Order {
            payment: Some(payment),
            refunded_amount: order.refunded_amount + self.amount,
            ..order.next(now, self.request_id.as_ref())
        })
    }
}
