//! Spreading a product's stock over several items, so that it can be sold faster.

use aws_sdk_dynamodb::types::TransactWriteItem;

use crate::change::{Change, number as value};
use crate::schema::Key;
use crate::stock::{self, Stock};
use crate::table::Consistency;
use crate::transaction::{self, Outcome};
use crate::{ProductId, Products, Result, Table, retry};

impl Products {
    /// Spreads a product's stock equally over this many items, 1 to [`stock::MAX_SPREAD`].
    ///
    /// It is one transaction with all items, so while the product sells fast, it may conflict until it
    /// gives up ([`Error::Contention`]). Take the product off sale first.
    pub async fn spread_stock(&self, id: ProductId, items: u8) -> Result<()> {
        retry::while_outdated(|| async {
            let stock = self.whole_stock(id).await?;
            let actions = respread(&self.table, id, &stock, items)?;
            Ok(match transaction::write(&self.table, actions).await? {
                Outcome::Written => Some(()),
                Outcome::Cancelled(_) => None,
            })
        })
        .await
    }

    /// Returns all of a product's stock, with strong consistency.
    pub(super) async fn whole_stock(&self, id: ProductId) -> Result<Stock> {
        retry::while_outdated(|| async {
            let first = self.first_stock_item(id).await?;
            stock::read_others(&self.table, first, Consistency::Strong).await
        })
        .await
    }
}

/// Builds the transaction that splits a stock equally among `items` items. It adds and takes the
/// differences, so a sale in between costs nothing but its pieces.
fn respread(
    table: &Table,
    id: ProductId,
    stock: &Stock,
    items: u8,
) -> Result<Vec<TransactWriteItem>> {
    let mut shares = stock.total().map(|total| stock::split(total, items));
    let mut actions = Vec::new();
    for (number, item) in stock.items() {
        let key = Key::stock(id, number);
        if number >= items {
            let as_seen = Change::unseen().require_seen("quantity", item.quantity.map(value));
            actions.push(as_seen.into_delete(table, key)?);
            continue;
        }
        let share = shares.as_mut().and_then(Iterator::next);
        let mut change = item.require_copy(Change::unseen());
        if number == 0 {
            change = stock.first.require_spread(change).set("spread", value(items));
        }
        change = match (item.quantity, share) {
            (Some(held), Some(share)) if held >= share => change.take("quantity", held - share),
            (Some(held), Some(share)) => {
                change.require_number("quantity").add("quantity", share - held)
            }
            _ => change.require_absent("quantity"),
        };
        actions.push(change.into_action(table, key)?);
    }
    for number in stock.spread()..items {
        let share = shares.as_mut().and_then(Iterator::next);
        actions.push(table.put_new(stock.first.further(share).to_item(number)?)?);
    }
    Ok(actions)
}
