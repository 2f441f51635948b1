//! The orders of version 0.1, and those of 0.2 that its functions have changed: they change the status
//! alone, and leave payment, index keys and `payBy` as they find them.

use crate::change::{Change, string};
use crate::orders::{Order, OrderStatus, Payment};
use crate::schema::{self, GSI2PK, GSI2SK, Item, ItemType, Key, WorklistKey};
use crate::transaction::{self, Written};
use crate::{Error, Result, Table};

/// What makes an order one of version 0.2. The default is nothing: it is one already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderUpgrade {
    /// It gets the `payment` and the `number` that 0.1 does not know.
    pub completed: bool,
    /// It gets the keys of its list in `GSI2`.
    pub listed: bool,
    /// It is in another list than its status says, or in one although nothing is to be done with it, or
    /// its `payment` or `payBy` is not that of its status. A function of 0.1 has changed the status.
    pub corrected: bool,
}

/// Returns where the money of an order is, given what it stores. Every payment that a function of 0.2
/// stores belongs to the status, so one that does not is older than the status.
pub(crate) const fn payment(stored: Payment, status: OrderStatus, owes: bool) -> Payment {
    use OrderStatus::{Cancelled, Delivered, Paid, Returned, Shipped};
    match (stored, status) {
        (Payment::Unpaid, Paid | Shipped | Delivered | Returned) => Payment::Paid,
        (Payment::Paid, Cancelled) if owes => Payment::RefundDue,
        (stored, _) => stored,
    }
}

/// Returns what [`upgrade_order`] would do.
pub fn needed_by_order(item: &Item) -> Result<OrderUpgrade> {
    Ok(Found::new(item.clone())?.needs())
}

/// Upgrades an order that was read, by a scan for example, and returns what was done. It makes no new
/// version of the order, because nobody has changed it, and so no event.
///
/// The write is conditional on the version that was read, so it may run again at any time, beside
/// functions of 0.1 and 0.2. As long as functions of 0.1 run, it may have to.
///
/// Fails with [`Error::Item`] if the order cannot be read.
pub async fn upgrade_order(table: &Table, item: Item) -> Result<OrderUpgrade> {
    let mut found = Found::new(item)?;
    // This ends: if a write is refused, the order has moved on, and it only moves forward.
    loop {
        let needed = found.needs();
        if needed == OrderUpgrade::default() {
            return Ok(needed);
        }
        let key = Key::order(found.order.user_id, found.order.id);
        let action = found.change().into_action(table, key)?;
        match transaction::write_one(table, action).await? {
            Written::Done => return Ok(needed),
            Written::Refused(Some(item)) => found = Found::new(item)?,
            // It has been deleted.
            Written::Refused(None) => return Ok(OrderUpgrade::default()),
        }
    }
}

/// An order, and the keys that it has in `GSI2`.
struct Found {
    order: Order,
    keys: Item,
}

impl Found {
    fn new(mut item: Item) -> Result<Self> {
        let mut taken = |name: &str| item.remove_entry(name);
        let keys = [GSI2PK, GSI2SK].into_iter().filter_map(&mut taken).collect();
        let own: Item = [schema::PK, schema::SK].into_iter().filter_map(&mut taken).collect();
        let order: Order = schema::entity(ItemType::Order, item)?;
        if own != Item::from(Key::order(order.user_id, order.id)) {
            return Err(Error::Item("its keys are not those of its user and id".to_owned()));
        }
        Ok(Self { order, keys })
    }

    /// The keys that it should have.
    fn right_keys(&self) -> Item {
        let list = self.order.worklist();
        list.map(|list| WorklistKey::order(list, self.order.id).into()).unwrap_or_default()
    }

    /// Whether it has a time to be paid by although nobody waits for its payment.
    fn is_held(&self) -> bool {
        self.order.pay_by.is_some() && self.order.status != OrderStatus::Pending
    }

    fn needs(&self) -> OrderUpgrade {
        let order = &self.order;
        let wrong_keys = self.keys != self.right_keys();
        let wrong_payment = order.payment.is_some_and(|stored| stored != order.payment());
        OrderUpgrade {
            completed: order.payment.is_none() || order.number.is_none(),
            listed: wrong_keys && self.keys.is_empty(),
            corrected: wrong_keys && !self.keys.is_empty() || wrong_payment || self.is_held(),
        }
    }

    fn change(&self) -> Change {
        let order = &self.order;
        let mut change = Change::unseen()
            .require_version(Some(order.version))
            .set("payment", string(order.payment()))
            .set("number", string(order.number()));
        let mut right = self.right_keys();
        for name in [GSI2PK, GSI2SK] {
            change = match right.remove(name) {
                Some(key) => change.set(name, key),
                None => change.remove(name),
            };
        }
        if self.is_held() { change.remove("payBy") } else { change }
    }
}
