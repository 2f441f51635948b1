//! The stock of version 0.1: an attribute of the product.

use serde::Deserialize;

use crate::change::{Change, boolean, number};
use crate::schema::{ItemType, Key};
use crate::stock::StockItem;
use crate::table::Consistency;
use crate::transaction::{self, Outcome};
use crate::{Currency, ProductId, Result, Table, retry};

/// A product of version 0.1.
#[derive(Deserialize)]
struct Before {
    name: String,
    price: u64,
    currency: Currency,
    selling: Option<bool>,
    /// `None` means unlimited.
    stock: Option<u64>,
}

/// Gives a product of version 0.1 its stock item. Returns whether it has one now; `false` means that
/// there is no such product.
///
/// The product's own `stock` becomes 0 in the same transaction, so that functions of 0.1 that still
/// run refuse to sell the product. Without the attribute they would take it for unlimited. The
/// product's version stays, because nobody has changed the product.
pub(crate) async fn move_stock(table: &Table, id: ProductId) -> Result<bool> {
    retry::while_outdated(|| async {
        let key = Key::product(id);
        let before = table.get::<Before>(ItemType::Product, key.clone(), Consistency::Strong);
        let Some(before) = before.await? else { return Ok(Some(false)) };
        let item = StockItem {
            product_id: id,
            name: before.name,
            price: before.price,
            currency: before.currency,
            selling: before.selling.unwrap_or(true),
            quantity: before.stock,
            spread: Some(1),
        };
        let mut product = Change::unseen()
            .set("stock", number(0))
            .set("available", boolean(item.has(1)))
            .set("availableRevision", number(1));
        product = match before.stock {
            Some(seen) => product.require("stock", number(seen)),
            None => product.require_absent("stock"),
        };
        let actions = vec![table.put_new(item.to_item(0)?)?, product.into_action(table, key)?];
        match transaction::write(table, actions).await? {
            Outcome::Written => Ok(Some(true)),
            // Another request has moved it.
            Outcome::Cancelled(failed) if failed.contains_key(&0) => Ok(Some(true)),
            Outcome::Cancelled(_) => Ok(None),
        }
    })
    .await
}
