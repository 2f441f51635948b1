//! The stock of version 0.1: an attribute of the product.

use serde::Deserialize;

use crate::change::{Change, boolean, number, string};
use crate::schema::{Item, ItemType, Key};
use crate::stock::StockItem;
use crate::table::Consistency;
use crate::transaction::{self, Outcome};
use crate::{Currency, Name, ProductId, Result, Table, retry};

/// A product with what functions of 0.1 read and write of it.
#[derive(Deserialize)]
pub(super) struct Before {
    pub(super) name: Name,
    pub(super) price: u64,
    pub(super) currency: Currency,
    selling: Option<bool>,
    /// `None` means unlimited.
    pub(super) stock: Option<u64>,
}

impl Before {
    pub(super) async fn read(table: &Table, id: ProductId) -> Result<Option<Self>> {
        table.get(ItemType::Product, Key::product(id), Consistency::Strong).await
    }

    /// Requires the product to be what stock items have a copy of.
    pub(super) fn require_original(&self, product: Change) -> Change {
        product
            .require("name", string(&self.name))
            .require("price", number(self.price))
            .require("currency", string(self.currency.code()))
    }
}

/// Makes functions of 0.1 refuse to sell a new product. They would take it for unlimited, because it has
/// no `stock`.
pub(crate) fn refuse_to_sell(product: &mut Item) {
    product.insert("stock".to_owned(), number(0));
}

/// Gives a product of version 0.1 its stock item. Returns whether it has one now; `false` means that
/// there is no such product.
///
/// The product's own `stock` becomes 0 in the same transaction, so that functions of 0.1 that still
/// run refuse to sell the product. Without the attribute they would take it for unlimited. The
/// product's version stays, because nobody has changed the product.
pub(crate) async fn move_stock(table: &Table, id: ProductId) -> Result<bool> {
    retry::while_outdated(|| async {
        let Some(before) = Before::read(table, id).await? else { return Ok(Some(false)) };
        let product = before.require_original(Change::unseen());
        let item = StockItem {
            product_id: id,
            name: before.name,
            price: before.price,
            currency: before.currency,
            selling: before.selling.unwrap_or(true),
            quantity: before.stock,
            spread: Some(1),
        };
        let product = product
            .set("stock", number(0))
            .set("available", boolean(item.has(1)))
            .set("availableRevision", number(1))
            .require_seen("stock", before.stock.map(number));
        let actions =
            vec![table.put_new(item.to_item(0)?)?, product.into_action(table, Key::product(id))?];
        match transaction::write(table, actions).await? {
            Outcome::Written => Ok(Some(true)),
            // Another request has moved it.
            Outcome::Cancelled(failed) if failed.contains_key(&0) => Ok(Some(true)),
            Outcome::Cancelled(_) => Ok(None),
        }
    })
    .await
}
