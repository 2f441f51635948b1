//! Changing an order's status. A cancellation puts the stock back.

use super::put_back::Return;
use super::{CancelReason, Order, OrderStatus, OrderWithItems, Payment, Tracking};
use crate::schema::{self, ItemType};
use crate::table::Consistency;
use crate::transaction::Written;
use crate::{
    Error, OrderAccess, OrderId, OrderItem, Orders, RequestId, Result, Timestamp, UserId, Users,
    Version,
};

/// A change of an order's status.
#[derive(Clone, Debug)]
pub struct StatusChange {
    /// The new status.
    pub to: OrderStatus,
    /// How to follow the parcel, for [`OrderStatus::Shipped`].
    pub tracking: Option<Tracking>,
    /// The version that the order must be at, if any.
    pub expected: Option<Version>,
    /// The request that makes the change, if known.
    pub request_id: Option<RequestId>,
}

impl Orders {
    /// Changes an order's status, if the shop's rules allow it ([`Error::InvalidStatusChange`]). If
    /// a version is expected, the order must be at that version ([`Error::VersionMismatch`]). An order
    /// that has the status already stays as it is: a payment may well be reported twice. Other tracking
    /// than it has is refused ([`Error::OtherTracking`]).
    ///
    /// An order that was paid is owed back when it is cancelled or returned. So is a payment for an
    /// order that was cancelled before: the order stays cancelled.
    ///
    /// An order's owner may only cancel it ([`Error::StaffOnly`]), and must still be a user
    /// ([`Error::CallerNotFound`]).
    ///
    /// The write is conditional on the version that the decision was based on, so of several
    /// concurrent changes to an order, each decides on what the previous one left.
    pub async fn change_status(
        &self,
        access: OrderAccess,
        id: OrderId,
        change: StatusChange,
    ) -> Result<OrderWithItems> {
        let ((), found) = tokio::try_join!(self.expect_owner(access), self.find(access, id))?;
        let OrderWithItems { mut order, items } = found.ok_or(Error::OrderNotFound)?;
        if access != OrderAccess::Any && change.to != OrderStatus::Cancelled {
            return Err(Error::StaffOnly);
        }
        let reason = match access {
            OrderAccess::OwnedBy(_) => CancelReason::Customer,
            OrderAccess::Any => CancelReason::Shop,
        };
        if !matches!(change.decide(&order, reason, Timestamp::now()), Ok(Some(_))) {
            // That may have been an old state; only the current one is a reason to change nothing.
            order = self.order_now(order.user_id, id).await?.ok_or(Error::OrderNotFound)?;
        }
        // This ends: if a write is rejected, the order has moved on, and it only moves forward.
        loop {
            let Some(after) = change.decide(&order, reason, Timestamp::now())? else {
                return Ok(OrderWithItems { order, items });
            };
            let returns = returns(&order, &after, &items);
            match self.write_next(&order, &after, returns).await? {
                Written::Done => return Ok(OrderWithItems { order: after, items }),
                Written::Refused(Some(item)) => order = schema::entity(ItemType::Order, item)?,
                Written::Refused(None) => return Err(Error::OrderNotFound),
            }
        }
    }

    /// Cancels an order that was not paid in time, and puts its stock back. Returns whether it did: the
    /// order may have been paid or cancelled meanwhile. `overdue_at` is the time that its
    /// [`pay_by`](Order::pay_by) must not be after. Fails with [`Error::OrderNotFound`] if its keys are
    /// not those of its user and id.
    pub async fn expire(
        &self,
        user_id: UserId,
        id: OrderId,
        overdue_at: Timestamp,
    ) -> Result<bool> {
        let found = self.find_now(user_id, id).await?;
        // Nobody deletes orders: it is not where the index says.
        let OrderWithItems { mut order, items } = found.ok_or(Error::OrderNotFound)?;
        // This ends, as above.
        loop {
            let is_overdue = order.pay_by.is_some_and(|pay_by| pay_by <= overdue_at);
            if order.status != OrderStatus::Pending || !is_overdue {
                return Ok(false);
            }
            let next = order.next(Timestamp::now(), None);
            let after = next.cancelled(CancelReason::Expired);
            match self.write_next(&order, &after, returns(&order, &after, &items)).await? {
                Written::Done => return Ok(true),
                Written::Refused(Some(item)) => order = schema::entity(ItemType::Order, item)?,
                Written::Refused(None) => return Err(Error::OrderNotFound),
            }
        }
    }

    /// Reads the order without its items, with strong consistency.
    pub(super) async fn order_now(&self, user_id: UserId, id: OrderId) -> Result<Option<Order>> {
        let key = schema::Key::order(user_id, id);
        self.table.get(ItemType::Order, key, Consistency::Strong).await
    }

    /// Rejects owners who have been deleted.
    async fn expect_owner(&self, access: OrderAccess) -> Result<()> {
        let OrderAccess::OwnedBy(user_id) = access else { return Ok(()) };
        let role = Users::new(self.table.clone()).role_of(user_id).await?;
        role.map(|_| ()).ok_or(Error::CallerNotFound)
    }
}

/// Returns what goes back into the stock when an order becomes its next version: all that it took if it
/// is cancelled, and nothing otherwise. What customers send back is looked at first, and then booked
/// as goods received.
fn returns(before: &Order, after: &Order, items: &[OrderItem]) -> Vec<Return> {
    let is_cancelled = |order: &Order| order.status == OrderStatus::Cancelled;
    if is_cancelled(after) && !is_cancelled(before) {
        items.iter().filter_map(Return::of).collect()
    } else {
        Vec::new()
    }
}

impl StatusChange {
    /// A change to this status, whatever the order's version.
    #[must_use]
    pub const fn new(to: OrderStatus) -> Self {
        Self { to, tracking: None, expected: None, request_id: None }
    }

    /// Returns the order after this change, `None` if it stays as it is, or why the expected version or
    /// the shop's rules do not allow the change.
    fn decide(&self, order: &Order, reason: CancelReason, now: Timestamp) -> Result<Option<Order>> {
        if let Some(version) = self.expected
            && version != order.version
        {
            return Err(Error::VersionMismatch { current: order.version });
        }
        let next = order.next(now, self.request_id.as_ref());
        Ok(match (order.status, self.to) {
            (OrderStatus::Shipped, OrderStatus::Shipped)
                if self.tracking.is_some() && self.tracking != order.tracking =>
            {
                return Err(Error::OtherTracking);
            }
            (from, to) if from == to => None,
            // The money came too late.
            (OrderStatus::Cancelled, OrderStatus::Paid) => match order.payment() {
                Payment::Unpaid => Some(Order { payment: Some(Payment::RefundDue), ..next }),
                _ => None,
            },
            (from, to) if !from.may_become(to) => {
                return Err(Error::InvalidStatusChange { from, to });
            }
            (_, OrderStatus::Cancelled) => Some(next.cancelled(reason)),
            (_, OrderStatus::Returned) => Some(next.ended(OrderStatus::Returned)),
            (_, OrderStatus::Paid) => Some(Order {
                status: OrderStatus::Paid,
                payment: Some(Payment::Paid),
                pay_by: None,
                ..next
            }),
            (_, OrderStatus::Shipped) => Some(Order {
                status: OrderStatus::Shipped,
                tracking: self.tracking.clone(),
                ..next
            }),
            (_, status) => Some(Order { status, ..next }),
        })
    }
}

impl Order {
    fn cancelled(self, reason: CancelReason) -> Self {
        let ended = self.ended(OrderStatus::Cancelled);
        Self { cancel_reason: Some(reason), pay_by: None, ..ended }
    }

    /// The order in a status in which the shop keeps no money of it.
    fn ended(self, status: OrderStatus) -> Self {
        let owes = self.payment() == Payment::Paid && self.refundable() > 0;
        let payment = if owes { Some(Payment::RefundDue) } else { self.payment };
        Self { status, payment, ..self }
    }
}
