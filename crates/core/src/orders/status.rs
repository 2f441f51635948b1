//! Changing an order's status. A cancellation puts the stock back.

use crate::change::{Change, string};
use crate::schema::{self, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, Outcome, Written};
use crate::{
    Error, Order, OrderAccess, OrderId, OrderItem, OrderStatus, OrderWithItems, Orders, RequestId,
    Result, Timestamp, Users, Version,
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
    /// a version is expected, the order must be at that version ([`Error::VersionMismatch`]).
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
        if change.decide(&order).is_err() {
            // That may have been an old state; a rejection is decided on the current one.
            let key = Key::order(order.user_id, id);
            let now = self.table.get(ItemType::Order, key, Consistency::Strong).await?;
            order = now.ok_or(Error::OrderNotFound)?;
        }
        // This ends: if a write is rejected, the order has moved on, and it only moves forward.
        loop {
            change.decide(&order)?;
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

    /// Cancels the order and puts its items back into stock, all or nothing.
    ///
    /// A product that was deleted meanwhile, or has no stock count, has nothing to put back: the
    /// cancelled transaction names it, and is retried without it.
    async fn cancel(
        &self,
        order: &Order,
        items: &[OrderItem],
        change: &StatusChange,
        now: Timestamp,
    ) -> Result<Written> {
        const ORDER: usize = 0;
        let mut restocked: Vec<&OrderItem> = items.iter().collect();
        loop {
            let update = change.update(order, now);
            let mut actions =
                vec![update.into_action(&self.table, Key::order(order.user_id, order.id))?];
            for item in &restocked {
                let restock =
                    Change::at(now).require_number("stock").add("stock", u64::from(item.quantity));
                actions.push(restock.into_action(&self.table, Key::product(item.product_id))?);
            }
            let mut failed = match transaction::write(&self.table, actions).await? {
                Outcome::Written => return Ok(Written::Done),
                Outcome::Cancelled(failed) => failed,
            };
            if let Some(current) = failed.remove(&ORDER) {
                return Ok(Written::Refused(current));
            }
            let mut action = ORDER;
            restocked.retain(|_| {
                action += 1;
                !failed.contains_key(&action)
            });
        }
    }
}

impl StatusChange {
    /// Rejects the change if the expected version or the shop's rules do not allow it.
    fn decide(&self, order: &Order) -> Result<()> {
        match self.expected {
            Some(version) if version != order.version => {
                Err(Error::VersionMismatch { current: order.version })
            }
            _ if order.status.may_become(self.to) => Ok(()),
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
