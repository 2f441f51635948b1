//! Changing an order's status. A cancellation puts the stock back.

use crate::change::{Change, string};
use crate::schema::{self, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, Outcome, Written};
use crate::{
    Error, Order, OrderAccess, OrderId, OrderItem, OrderStatus, OrderWithItems, Orders, ProductId,
    RequestId, Result, Timestamp, Users, Version, before_0_2, stock,
};

/// A change of an order's status.
#[derive(Clone, Debug)]
pub struct StatusChange {
    /// The new status.
    pub to: OrderStatus,
    /// The version that the order must be at, if any.
    pub expected: Option<Version>,
    /// The request that makes the change, if known.
    pub request_id: Option<RequestId>,
}

impl Orders {
    /// Changes an order's status, if the shop's rules allow it ([`Error::InvalidStatusChange`]). If
    /// a version is expected, the order must be at that version ([`Error::VersionMismatch`]). An order
    /// that has the status already stays as it is: a payment may well be reported twice.
    ///
    /// An order's owner may only cancel it ([`Error::AdminOnly`]), and must still be a user
    /// ([`Error::CallerNotFound`]).
    ///
    /// The write is conditional on the status that the decision was based on, so of several
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
            return Err(Error::AdminOnly);
        }
        if !matches!(change.decide(&order), Ok(Decision::Change)) {
            // That may have been an old state; only the current one is a reason to change nothing.
            let key = Key::order(order.user_id, id);
            let now = self.table.get(ItemType::Order, key, Consistency::Strong).await?;
            order = now.ok_or(Error::OrderNotFound)?;
        }
        // This ends: if a write is rejected, the order has moved on, and it only moves forward.
        loop {
            if change.decide(&order)? == Decision::Nothing {
                return Ok(OrderWithItems { order, items });
            }
            let now = Timestamp::now();
            let written = if change.to == OrderStatus::Cancelled {
                self.cancel(&order, &items, &change, now).await?
            } else {
                let key = Key::order(order.user_id, order.id);
                let action = change.update(&order, now).into_action(&self.table, key)?;
                transaction::write_one(&self.table, action).await?
            };
            match written {
                Written::Done => {
                    return Ok(OrderWithItems { order: change.applied_to(&order, now), items });
                }
                Written::Refused(Some(item)) => order = schema::entity(ItemType::Order, item)?,
                Written::Refused(None) => return Err(Error::OrderNotFound),
            }
        }
    }

    /// Rejects owners who have been deleted.
    async fn expect_owner(&self, access: OrderAccess) -> Result<()> {
        let OrderAccess::OwnedBy(user_id) = access else { return Ok(()) };
        let role = Users::new(self.table.clone()).role_of(user_id).await?;
        role.map(|_| ()).ok_or(Error::CallerNotFound)
    }

    /// Cancels the order and puts back what its items took, all or nothing.
    ///
    /// The pieces of a stock item that is gone go into the product's first one. A product that was
    /// deleted meanwhile, or is not counted any more, has no stock to put anything back into: the
    /// cancelled transaction names it, and is retried without it.
    async fn cancel(
        &self,
        order: &Order,
        items: &[OrderItem],
        change: &StatusChange,
        now: Timestamp,
    ) -> Result<Written> {
        const ORDER: usize = 0;
        let mut returns: Vec<Return> = items.iter().filter_map(Return::of).collect();
        loop {
            let update = change.update(order, now);
            let mut actions =
                vec![update.into_action(&self.table, Key::order(order.user_id, order.id))?];
            for Return { product_id, pieces, to } in &returns {
                actions.push(stock::put_into(&self.table, *product_id, *to, *pieces)?);
            }
            let mut failed = match transaction::write(&self.table, actions).await? {
                Outcome::Written => return Ok(Written::Done),
                Outcome::Cancelled(failed) => failed,
            };
            if let Some(current) = failed.remove(&ORDER) {
                return Ok(Written::Refused(current));
            }
            let mut left = Vec::with_capacity(returns.len());
            for (action, back) in (ORDER + 1..).zip(returns) {
                match failed.remove(&action) {
                    None => left.push(back),
                    // Not counted.
                    Some(Some(_)) => {}
                    Some(None) if back.to > 0 => left.push(Return { to: 0, ..back }),
                    Some(None) => {
                        if before_0_2::move_stock(&self.table, back.product_id).await? {
                            left.push(back);
                        }
                    }
                }
            }
            returns = left;
        }
    }
}

/// What is left to do.
#[derive(PartialEq, Eq)]
enum Decision {
    Change,
    /// The order has the status already.
    Nothing,
}

/// Pieces that go back into a product's stock.
struct Return {
    product_id: ProductId,
    pieces: u64,
    /// The number of the stock item.
    to: u8,
}

impl Return {
    /// Returns what an order item puts back. One that does not say what it took, because version 0.1
    /// placed the order, took all its pieces if the product's stock is counted.
    fn of(item: &OrderItem) -> Option<Self> {
        let pieces = item.taken.unwrap_or(item.quantity);
        let to = item.taken_from.unwrap_or(0);
        (pieces > 0).then_some(Self { product_id: item.product_id, pieces: pieces.into(), to })
    }
}

impl StatusChange {
    /// Rejects the change if the expected version or the shop's rules do not allow it.
    fn decide(&self, order: &Order) -> Result<Decision> {
        match self.expected {
            Some(version) if version != order.version => {
                Err(Error::VersionMismatch { current: order.version })
            }
            _ if order.status == self.to => Ok(Decision::Nothing),
            _ if order.status.may_become(self.to) => Ok(Decision::Change),
            _ => Err(Error::InvalidStatusChange { from: order.status, to: self.to }),
        }
    }

    /// Returns the order after this change.
    fn applied_to(&self, order: &Order, now: Timestamp) -> Order {
        Order {
            status: self.to,
            version: order.version + 1,
            updated_at: now,
            request_id: self.request_id.clone(),
            ..order.clone()
        }
    }

    fn update(&self, order: &Order, now: Timestamp) -> Change {
        let update = Change::at(now)
            .require("status", string(order.status))
            .set("status", string(self.to))
            .require_version(self.expected);
        match &self.request_id {
            Some(id) => update.set("requestId", string(id)),
            // The item must not name the request of an earlier change.
            None => update.remove("requestId"),
        }
    }
}
