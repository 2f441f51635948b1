//! Writing a change of an order, and with a cancellation the stock that goes back.

use super::{Order, OrderItem};
use crate::transaction::{self, Outcome, Written};
use crate::{Orders, ProductId, Result, before_0_2, stock};

/// Pieces that go back into a product's stock.
pub(super) struct Return {
    product_id: ProductId,
    pieces: u64,
    /// The number of the stock item.
    to: u8,
}

impl Return {
    /// Returns what an order item puts back. One that does not say what it took, because version 0.1
    /// placed the order, took all its pieces if the product's stock is counted.
    pub(super) fn of(item: &OrderItem) -> Option<Self> {
        let pieces = item.taken.unwrap_or(item.quantity);
        let to = item.taken_from.unwrap_or(0);
        (pieces > 0).then_some(Self { product_id: item.product_id, pieces: pieces.into(), to })
    }
}

impl Orders {
    /// Writes the next version of an order, on condition that `before` is the current one, and puts back
    /// the returns, all or nothing.
    ///
    /// The pieces of a stock item that is gone go into the product's first one. A product that was
    /// deleted meanwhile, or is not counted any more, has no stock to put anything back into: the
    /// cancelled transaction names it, and is retried without it.
    pub(super) async fn write_next(
        &self,
        before: &Order,
        after: &Order,
        mut returns: Vec<Return>,
    ) -> Result<Written> {
        const ORDER: usize = 0;
        loop {
            let change = after.change_from(before)?;
            let mut actions = vec![change.into_action(&self.table, after.key())?];
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
