//! Stock items: how many pieces of a product there are, and what an order goes by.
//!
//! An order reads and writes stock items, never the product: a sale neither changes the product's
//! version nor writes to an index. Each product has item 0. A product that is spread has more, in
//! partitions of their own, so that sales of one product do not wait for each other.

mod pick;

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::{Deserialize, Serialize};

use crate::change::{Change, boolean, number, string};
use crate::schema::{self, Item, ItemType, Key, PK, SK};
use crate::table::Consistency;
use crate::transaction::{self, Attempt, Outcome};
use crate::{Currency, Name, Product, ProductId, Result, Table};

pub use pick::{Choice, Pick};

/// The maximum number of a product's stock items: all of them and the product fit in one
/// transaction of 100 actions.
pub const MAX_SPREAD: u8 = 64;

/// The maximum stock: more than any shop has, and sums stay far below any limit.
pub const MAX_STOCK: u64 = 1_000_000_000_000;

/// A stock item, as stored in the table. Its name, price, currency and `selling` are copies of the
/// product's. In item 0 they change together with the product. Further items may lag behind for a
/// moment; no order takes from one that does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StockItem {
    pub(crate) product_id: ProductId,
    pub(crate) name: Name,
    /// In the currency's minor unit (cents).
    pub(crate) price: u64,
    pub(crate) currency: Currency,
    pub(crate) selling: bool,
    /// The pieces in this item. `None` means that the product's stock is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) quantity: Option<u64>,
    /// The number of the product's stock items; only in item 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spread: Option<u8>,
}

/// The attributes of [`StockItem`].
pub(crate) const ATTRIBUTES: [&str; 7] =
    ["productId", "name", "price", "currency", "selling", "quantity", "spread"];

impl StockItem {
    /// Item 0 of a product that is not spread.
    pub(crate) fn of(product: &Product, quantity: Option<u64>) -> Self {
        Self {
            product_id: product.id,
            name: product.name.clone(),
            price: product.price,
            currency: product.currency,
            selling: product.selling,
            quantity,
            spread: Some(1),
        }
    }

    /// A further item, with this item's copy of the product.
    pub(crate) fn further(&self, quantity: Option<u64>) -> Self {
        Self { quantity, spread: None, ..self.clone() }
    }

    pub(crate) fn to_item(&self, number: u8) -> Result<Item> {
        schema::item(ItemType::Stock, Key::stock(self.product_id, number), None, self)
    }

    /// The number of the product's stock items, if this is item 0.
    pub(crate) fn spread(&self) -> u8 {
        self.spread.unwrap_or(1).clamp(1, MAX_SPREAD)
    }

    /// Whether there are so many pieces in this item, or they are not counted.
    pub(crate) fn has(&self, pieces: u64) -> bool {
        self.quantity.is_none_or(|quantity| quantity >= pieces)
    }

    /// Whether it has the same copy of the product.
    pub(crate) fn is_copy_of(&self, other: &Self) -> bool {
        (&self.name, self.price, self.currency, self.selling)
            == (&other.name, other.price, other.currency, other.selling)
    }

    /// Builds the action by which an order takes pieces from the item with this number, on condition
    /// that it has the same copy of the product as this one, and enough pieces. If the product is not
    /// counted, it is only a check.
    pub(crate) fn take(&self, table: &Table, number: u8, pieces: u32) -> Result<TransactWriteItem> {
        let copy = self.require_copy(Change::unseen());
        let take = match self.quantity {
            Some(_) => copy.take("quantity", pieces.into()),
            None => copy.require_absent("quantity"),
        };
        take.into_action(table, Key::stock(self.product_id, number))
    }

    /// Gives a further item that lags behind this item 0 the same copy. Returns `false` if item 0 has
    /// changed since, or the further item is gone.
    pub(crate) async fn repair(&self, table: &Table, item: u8) -> Result<bool> {
        let check = self.require_copy(Change::unseen());
        let copy = Change::unseen()
            .set("name", string(&self.name))
            .set("price", number(self.price))
            .set("currency", string(self.currency.code()))
            .set("selling", boolean(self.selling));
        let actions = vec![
            check.into_action(table, Key::stock(self.product_id, 0))?,
            copy.into_action(table, Key::stock(self.product_id, item))?,
        ];
        // After a conflict with a sale the item still lags. The next order that takes from it repairs it.
        Ok(match transaction::attempt(table, actions).await? {
            Attempt::Decided(Outcome::Written) | Attempt::Conflict(_) => true,
            Attempt::Decided(Outcome::Cancelled(_)) => false,
        })
    }

    /// Builds the actions that delete this item 0 and all further ones, on condition that there are as
    /// many as it says.
    pub(crate) fn delete_all(&self, table: &Table) -> Result<Vec<TransactWriteItem>> {
        let delete = |number| {
            let as_seen = match number {
                0 => self.require_spread(Change::unseen()),
                _ => Change::default(),
            };
            as_seen.into_delete(table, Key::stock(self.product_id, number))
        };
        (0..self.spread()).map(delete).collect()
    }

    /// Requires item 0 to have as many further items as this one.
    pub(crate) fn require_spread(&self, change: Change) -> Change {
        change.require_seen("spread", self.spread.map(number))
    }

    /// Requires an item to have the same copy of the product as this one.
    pub(crate) fn require_copy(&self, change: Change) -> Change {
        change
            .require("name", string(&self.name))
            .require("price", number(self.price))
            .require("currency", string(self.currency.code()))
            .require("selling", boolean(self.selling))
    }
}

/// Builds the action that puts pieces into an item, which must exist and be counted.
pub(crate) fn put_into(
    table: &Table,
    id: ProductId,
    number: u8,
    pieces: u64,
) -> Result<TransactWriteItem> {
    let put = Change::unseen().require_number("quantity").add("quantity", pieces);
    put.into_action(table, Key::stock(id, number))
}

/// Builds the action that takes pieces out of an item, which must have them.
pub(crate) fn take_out(
    table: &Table,
    id: ProductId,
    number: u8,
    pieces: u64,
) -> Result<TransactWriteItem> {
    Change::unseen().take("quantity", pieces).into_action(table, Key::stock(id, number))
}

/// All stock items of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stock {
    /// Item 0.
    pub(crate) first: StockItem,
    /// The others, by number, starting at 1.
    pub(crate) others: Vec<StockItem>,
}

impl Stock {
    /// The number of items.
    pub(crate) fn spread(&self) -> u8 {
        self.first.spread()
    }

    /// The items, by number.
    pub(crate) fn items(&self) -> impl Iterator<Item = (u8, &StockItem)> {
        (0..).zip(std::iter::once(&self.first).chain(&self.others))
    }

    /// The pieces in each item; `None` if the product is not counted.
    pub(crate) fn quantities(&self) -> Option<Vec<u64>> {
        self.first.quantity?;
        Some(self.items().map(|(_, item)| item.quantity.unwrap_or_default()).collect())
    }

    /// Gives further items that lag behind the first one's copy of the product the same copy.
    pub(crate) async fn repair(&self, table: &Table) -> Result<()> {
        for (number, item) in self.items() {
            if !item.is_copy_of(&self.first) {
                self.first.repair(table, number).await?;
            }
        }
        Ok(())
    }

    /// All pieces; `None` if the product is not counted.
    pub(crate) fn total(&self) -> Option<u64> {
        self.quantities().map(|quantities| quantities.iter().sum())
    }
}

/// Reads a product's stock; `None` if there is no such product.
pub(crate) async fn read(
    table: &Table,
    id: ProductId,
    consistency: Consistency,
) -> Result<Option<Stock>> {
    match table.get(ItemType::Stock, Key::stock(id, 0), consistency).await? {
        Some(first) => read_others(table, first, consistency).await,
        None => Ok(None),
    }
}

/// Reads the other items of a product whose item 0 has been read; `None` if they are not all there,
/// because the product is being spread or deleted.
pub(crate) async fn read_others(
    table: &Table,
    first: StockItem,
    consistency: Consistency,
) -> Result<Option<Stock>> {
    let spread = first.spread();
    if spread == 1 {
        return Ok(Some(Stock { first, others: Vec::new() }));
    }
    let keys = (1..spread).map(|number| Key::stock(first.product_id, number).into()).collect();
    let mut others = Vec::with_capacity(spread.into());
    let attributes = [&ATTRIBUTES[..], &[PK, SK]].concat();
    for item in table.batch_get(keys, &attributes, consistency).await? {
        let number = schema::number_of_stock_item(&item);
        others.push((number, schema::entity::<StockItem>(ItemType::Stock, item)?));
    }
    others.sort_by_key(|(number, _)| *number);
    let is_complete = others.len() + 1 == usize::from(spread);
    let others = others.into_iter().map(|(_, item)| item).collect();
    Ok(is_complete.then_some(Stock { first, others }))
}

/// Moves pieces into one item from others, as [`Choice::Gather`] says. Returns whether they had them.
pub(crate) async fn gather(
    table: &Table,
    id: ProductId,
    into: u8,
    from: &[(u8, u64)],
) -> Result<bool> {
    let sum = from.iter().map(|(_, pieces)| pieces).sum();
    let mut actions = vec![put_into(table, id, into, sum)?];
    for &(number, pieces) in from {
        actions.push(take_out(table, id, number, pieces)?);
    }
    Ok(matches!(transaction::write(table, actions).await?, Outcome::Written))
}

/// Splits pieces among items: equally, and what is left over among the first.
pub(crate) fn split(pieces: u64, items: u8) -> impl Iterator<Item = u64> {
    let (each, rest) = (pieces / u64::from(items), pieces % u64::from(items));
    (0..u64::from(items)).map(move |number| each + u64::from(number < rest))
}
