//! Changing an order's status; a cancellation puts the stock back.

use crate::change::{Change, string};
use crate::schema::{self, ItemType, Key};
use crate::table::Consistency;
use crate::transaction::{self, Outcome, Written};
use crate::{
    Error, Order, OrderAccess, OrderId, OrderItem, OrderStatus, OrderWithItems, Orders, RequestId,
    Result, Timestamp, Users, Version,
};

/// What status an order shall get.
#[derive(Clone, Debug)]
pub struct StatusChange {
    /// The status.
    pub to: OrderStatus,
    /// From which version of the order only, if from one.
    pub expected: Option<Version>,
    /// By which request, if that is known.
    pub request_id: Option<RequestId>,
}

impl Orders {
    /// Changes an order's status, if the shop's rules allow it ([`Error::InvalidStatusChange`]) and
    /// the order is at the expected version where one is given ([`Error::VersionMismatch`]).
    ///
    /// Whose order it is may only cancel it ([`Error::AdminOnly`]), and must still be a user
    /// ([`Error::CallerNotFound`]).
    ///
    /// The write is conditional on the status it was decided from, so of several who change one
    /// order at once each decides on what the one before left.
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
            // That may have been an old state; a refusal is decided on the present one.
            let key = Key::order(order.user_id, id);
            let now = self.table.get(ItemType::Order, key, Consistency::Strong).await?;
            order = now.ok_or(Error::OrderNotFound)?;
        }
        // Ends: whenever a write is refused, the order has moved on, and it only moves forward.
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
                    return Ok(OrderWithItems { order: change.made_of(&order, now), items });
                }
                Written::Refused(Some(item)) => order = schema::entity(ItemType::Order, item)?,
                Written::Refused(None) => return Err(Error::OrderNotFound),
            }
        }
    }

    /// Refuses owners who are no users any more.
    async fn expect_owner(&self, access: OrderAccess) -> Result<()> {
        let OrderAccess::OwnedBy(user_id) = access else { return Ok(()) };
        let role = Users::new(self.table.clone()).role_of(user_id).await?;
        role.map(|_| ()).ok_or(Error::CallerNotFound)
    }

    /// Cancels the order and puts its items back into stock, all or nothing.
    ///
    /// A product that was deleted meanwhile, or counts no stock, has nothing to put back: the
    /// transaction names it and is tried again without it.
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
                let restock = Change::at(now)
                    .require_presence("stock")
                    .add("stock", u64::from(item.quantity));
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
    /// Refuses what the rules of the shop, or the one who asks, do not allow for this order.
    fn decide(&self, order: &Order) -> Result<()> {
        match self.expected {
            Some(version) if version != order.version => {
                Err(Error::VersionMismatch { current: order.version })
            }
            _ if order.status.may_become(self.to) => Ok(()),
            _ => Err(Error::InvalidStatusChange { from: order.status, to: self.to }),
        }
    }

    /// What an order has become by this change.
    fn made_of(&self, order: &Order, now: Timestamp) -> Order {
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
