//! What an order takes from the stock of each of its products, and what it tries next if that fails.
//!
//! A product that is spread has several stock items. An order takes from one of them, chosen at
//! random: [`Pick`] has the policy.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::TransactWriteItem;
use fastrand::Rng;

use super::draft::shortage;
use crate::schema::{self, Item, ItemType};
use crate::stock::{self, Choice, Pick, StockItem};
use crate::table::Consistency;
use crate::{Error, OrderItem, ProductId, Result, Shortage, Table};

/// What an order takes, for each of its items.
pub(super) struct Takes<'a> {
    takes: Vec<Take<'a>>,
}

struct Take<'a> {
    /// The product's first stock item, as the order has read it.
    seen: &'a StockItem,
    pieces: u32,
    pick: Pick,
}

/// What to do after a transaction that wrote nothing.
pub(super) enum Next {
    /// Try again at once, with what is picked now.
    Now,
    /// Try again after a pause.
    AfterPause,
    /// Read the products again.
    Outdated,
    /// There is not enough.
    Short(Vec<Shortage>),
}

impl<'a> Takes<'a> {
    /// `stock` has the first stock item of each product of the order.
    pub(super) fn new(
        items: &[OrderItem],
        stock: &'a HashMap<ProductId, StockItem>,
        rng: &mut Rng,
    ) -> Result<Self> {
        let takes = items.iter().map(|item| {
            let seen = stock.get(&item.product_id);
            let seen = seen.ok_or_else(|| Error::UnknownProducts(vec![item.product_id]))?;
            let pick = Pick::new(seen.spread(), rng.fork());
            Ok(Take { seen, pieces: item.quantity, pick })
        });
        Ok(Self { takes: takes.collect::<Result<_>>()? })
    }

    /// Picks by what all stock items hold, for products whose first item does not have enough. They are
    /// equally full in the beginning and taken from at random, so when one is empty, most are nearly
    /// empty; an order that tried one after another would mostly fail.
    pub(super) async fn look_ahead(&mut self, table: &Table) -> Result<Next> {
        let mut shortages = Vec::new();
        for take in &mut self.takes {
            match take.look_ahead(table).await? {
                Next::Short(short) => shortages.extend(short),
                Next::Outdated => return Ok(Next::Outdated),
                Next::Now | Next::AfterPause => {}
            }
        }
        Ok(if shortages.is_empty() { Next::Now } else { Next::Short(shortages) })
    }

    /// Writes down in the order's items what is taken, and where.
    pub(super) fn note(&self, items: &mut [OrderItem]) {
        for (item, take) in items.iter_mut().zip(&self.takes) {
            let is_counted = take.seen.quantity.is_some();
            item.taken = Some(if is_counted { take.pieces } else { 0 });
            item.taken_from = is_counted.then(|| take.pick.number());
        }
    }

    /// Builds the actions, one for each item.
    pub(super) fn actions(&self, table: &Table) -> Result<Vec<TransactWriteItem>> {
        let action = |take: &Take<'_>| take.seen.take(table, take.pick.number(), take.pieces);
        self.takes.iter().map(action).collect()
    }

    /// Decides after these takes conflicted with other transactions; `None` stands for an action that
    /// is not a take.
    pub(super) fn after_conflict(
        &mut self,
        conflicts: impl Iterator<Item = Option<usize>>,
    ) -> Next {
        let mut all_hopped = true;
        for conflict in conflicts {
            let take = conflict.and_then(|position| self.takes.get_mut(position));
            all_hopped &= take.is_some_and(|take| take.pick.hop());
        }
        if all_hopped {
            return Next::Now;
        }
        for take in &mut self.takes {
            take.pick.rest();
        }
        Next::AfterPause
    }

    /// Decides after the conditions of these takes failed, given the stock items that they found.
    pub(super) async fn after_failure(
        &mut self,
        table: &Table,
        failed: impl Iterator<Item = (Option<usize>, Option<Item>)>,
    ) -> Result<Next> {
        let mut shortages = Vec::new();
        let mut repaired = false;
        for (position, found) in failed {
            let take = position.and_then(|position| self.takes.get_mut(position));
            let (Some(take), Some(found)) = (take, found) else { return Ok(Next::Outdated) };
            let found: StockItem = schema::entity(ItemType::Stock, found)?;
            let number = take.pick.number();
            if number > 0 && !found.is_copy_of(take.seen) {
                // Others may lag, too, so it stays with this one.
                if !take.seen.repair(table, number).await? {
                    return Ok(Next::Outdated);
                }
                repaired = true;
                continue;
            }
            if !found.is_copy_of(take.seen)
                || found.quantity.is_some() != take.seen.quantity.is_some()
                || number == 0 && found.spread() != take.seen.spread()
            {
                return Ok(Next::Outdated);
            }
            let Some(shortage) = shortage(&found, take.pieces) else { return Ok(Next::Outdated) };
            if take.pick.spread() == 1 {
                shortages.push(shortage);
            } else if !take.pick.hop() {
                if !take.pick.look() {
                    return Err(Error::Contention);
                }
                match take.look(table).await? {
                    Next::Now | Next::AfterPause => {}
                    Next::Outdated => return Ok(Next::Outdated),
                    Next::Short(short) => shortages.extend(short),
                }
            }
        }
        Ok(if !shortages.is_empty() {
            Next::Short(shortages)
        } else if repaired {
            Next::AfterPause
        } else {
            Next::Now
        })
    }
}

impl Take<'_> {
    async fn look_ahead(&mut self, table: &Table) -> Result<Next> {
        let pieces = self.pieces.into();
        if self.pick.spread() == 1 || self.seen.has(pieces) {
            return Ok(Next::Now);
        }
        let stock = stock::read_others(table, self.seen.clone(), Consistency::Eventual).await?;
        match stock.and_then(|stock| stock.quantities()) {
            Some(held) if self.pick.choose(&held, pieces) == Choice::Take => Ok(Next::Now),
            _ => self.look(table).await,
        }
    }

    /// Picks by what all of the product's items hold, and moves pieces into the picked one if none has
    /// enough.
    ///
    /// Items are not read at one moment: pieces that are being moved may be seen in neither of two
    /// items. So the stock is too small only if two reads agree.
    async fn look(&mut self, table: &Table) -> Result<Next> {
        let mut before = None;
        loop {
            let id = self.seen.product_id;
            let stock = stock::read(table, id, Consistency::Strong).await?;
            let is_as_seen = |stock: &stock::Stock| {
                stock.spread() == self.pick.spread() && stock.first.is_copy_of(self.seen)
            };
            let Some(stock) = stock.filter(is_as_seen) else { return Ok(Next::Outdated) };
            let Some(quantities) = stock.quantities() else { return Ok(Next::Outdated) };
            match self.pick.choose(&quantities, self.pieces.into()) {
                Choice::Take => {}
                Choice::Gather(from) => {
                    stock::gather(table, id, self.pick.number(), &from).await?;
                }
                Choice::Short(available) if before.as_ref() == Some(&quantities) => {
                    let requested = self.pieces.into();
                    return Ok(Next::Short(vec![Shortage {
                        product_id: id,
                        requested,
                        available,
                    }]));
                }
                Choice::Short(_) => {
                    before = Some(quantities);
                    continue;
                }
            }
            self.pick.rest();
            return Ok(Next::Now);
        }
    }
}
