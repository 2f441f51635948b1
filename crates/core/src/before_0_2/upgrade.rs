//! One product of version 0.1 after another, for `storefront-ops upgrade`.

use super::stock::{Before, move_stock};
use crate::change::{Change, number, string};
use crate::schema::{ItemType, Key};
use crate::stock::{self, StockItem};
use crate::table::Consistency;
use crate::transaction::{self, Outcome};
use crate::{Error, ProductId, Result, Table, retry};

/// What makes a product one of version 0.2. The default is nothing: it is one already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upgrade {
    /// Its stock moves into a stock item.
    pub moved: bool,
    /// So many pieces go from the product into its stock item, or nowhere if the product is not
    /// counted. Functions of 0.1 have put them back for orders that were cancelled after the move.
    pub swept: u64,
    /// Its stock item gets the product's name, price and currency. A function of 0.1 has changed
    /// them after the move.
    pub copy_renewed: bool,
}

/// A product, and its first stock item if it has one.
struct Found {
    id: ProductId,
    product: Before,
    first: Option<StockItem>,
}

/// Returns what [`upgrade`] would do; `None` if there is no such product.
pub async fn needed_by(table: &Table, id: ProductId) -> Result<Option<Upgrade>> {
    let found = Found::read(table, id).await?;
    Ok(found.map(|found| found.needs()))
}

/// Upgrades a product, beside functions of 0.1 and 0.2 that sell it, and returns what was done;
/// `None` if there is no such product.
///
/// Every write is conditional on what it is based on, so it may run again at any time. As long as
/// functions of 0.1 run, it may have to.
pub async fn upgrade(table: &Table, id: ProductId) -> Result<Option<Upgrade>> {
    retry::while_outdated(|| async {
        let Some(found) = Found::read(table, id).await? else { return Ok(Some(None)) };
        let needed = found.needs();
        let Some(first) = &found.first else {
            let exists = move_stock(table, id).await?;
            return Ok(Some(exists.then_some(needed)));
        };
        if needed != Upgrade::default() && !found.sweep(table, first, needed).await? {
            return Ok(None);
        }
        if needed.copy_renewed
            && let Some(stock) = stock::read(table, id, Consistency::Strong).await?
        {
            stock.repair(table).await?;
        }
        Ok(Some(Some(needed)))
    })
    .await
}

/// Whether a product's stock is left without its product, because a function of 0.1 has deleted it.
pub async fn is_orphan(table: &Table, id: ProductId) -> Result<bool> {
    match Before::read(table, id).await {
        Ok(product) => Ok(product.is_none()),
        Err(Error::Item(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes a product's stock if it is left without its product; otherwise, it would be sold for ever.
/// Returns whether it was.
pub async fn delete_orphan(table: &Table, id: ProductId) -> Result<bool> {
    retry::while_outdated(|| async {
        if !is_orphan(table, id).await? {
            return Ok(Some(false));
        }
        let first = table.get(ItemType::Stock, Key::stock(id, 0), Consistency::Strong).await?;
        let Some(first): Option<StockItem> = first else { return Ok(Some(false)) };
        let gone = Change::default().require_absent("PK");
        let mut actions = vec![gone.into_action(table, Key::product(id))?];
        actions.extend(first.delete_all(table)?);
        let written = transaction::write(table, actions).await?;
        Ok(matches!(written, Outcome::Written).then_some(true))
    })
    .await
}

impl Found {
    async fn read(table: &Table, id: ProductId) -> Result<Option<Self>> {
        let first = table.get(ItemType::Stock, Key::stock(id, 0), Consistency::Strong);
        let (product, first) = tokio::try_join!(Before::read(table, id), first)?;
        Ok(product.map(|product| Self { id, product, first }))
    }

    fn needs(&self) -> Upgrade {
        let Some(first) = &self.first else { return Upgrade { moved: true, ..Upgrade::default() } };
        let Before { name, price, currency, stock, .. } = &self.product;
        Upgrade {
            moved: false,
            swept: stock.unwrap_or(0),
            copy_renewed: (name, *price, *currency) != (&first.name, first.price, first.currency),
        }
    }

    /// Moves what functions of 0.1 have left in the product into its first stock item. Returns
    /// whether both were still as they had been read.
    async fn sweep(&self, table: &Table, first: &StockItem, needed: Upgrade) -> Result<bool> {
        let Self { id, product: before, .. } = self;
        let mut product = before.require_original(Change::unseen());
        let mut item = first.require_copy(Change::unseen());
        if needed.swept > 0 {
            product = product.require("stock", number(needed.swept)).set("stock", number(0));
            item = match first.quantity {
                Some(_) => item.require_number("quantity").add("quantity", needed.swept),
                None => item.require_absent("quantity"),
            };
        }
        if needed.copy_renewed {
            item = item
                .set("name", string(&before.name))
                .set("price", number(before.price))
                .set("currency", string(before.currency.code()));
        }
        let actions = vec![
            product.into_action(table, Key::product(*id))?,
            item.into_action(table, Key::stock(*id, 0))?,
        ];
        Ok(matches!(transaction::write(table, actions).await?, Outcome::Written))
    }
}
