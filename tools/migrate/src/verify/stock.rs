//! The stock of products that are spread over several stock items.

use std::borrow::Cow;

use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::schema::{self, Item, ItemType};
use storefront_core::{MAX_SPREAD, ProductId};

use super::item::{ItemKey, text, type_of};
use super::reads::Found;
use crate::entity::{QUANTITY, SPREAD};

/// Whether this is a stock item.
pub(super) fn is_stock(item: &Item) -> bool {
    type_of(item) == ItemType::Stock.as_str()
}

/// Whether this is one of the stock items that a product has only if it is spread.
pub(super) fn is_further(item: &Item) -> bool {
    is_stock(item) && schema::number_of_stock_item(item).is_some_and(|number| number > 0)
}

/// Returns the keys of the further stock items, given the first one. Any other item has none.
pub(super) fn further(first: &Item) -> Vec<ItemKey> {
    let Some(id) = product_id(first).filter(|_| !is_further(first)) else { return Vec::new() };
    (1..spread(first)).map(|number| key(schema::Key::stock(id, number))).collect()
}

/// Returns the key of an item without which this stock item belongs to nothing: the first one of the
/// product or, of that, the product.
pub(super) fn owner(item: &Item) -> Option<ItemKey> {
    let id = product_id(item)?;
    let number = schema::number_of_stock_item(item)?;
    let owner = match number {
        0 => schema::Key::product(id),
        _ => schema::Key::stock(id, 0),
    };
    (ItemKey::of(item) == key(schema::Key::stock(id, number))).then(|| key(owner))
}

/// Whether the product whose first stock item this is has further ones up to this one.
pub(super) fn reaches(first: &Item, further: &Item) -> bool {
    schema::number_of_stock_item(further).is_some_and(|number| number < spread(first))
}

/// Returns the first stock item as it would be if it had the pieces of all, and the keys of the
/// items that are missing. Any other item stays as it is.
pub(super) fn gathered<'i>(first: &'i Item, found: &Found) -> (Cow<'i, Item>, Vec<ItemKey>) {
    let keys = further(first);
    if keys.is_empty() {
        return (Cow::Borrowed(first), keys);
    }
    let number = |value: u64| AttributeValue::N(value.to_string());
    let mut all = first.clone();
    all.insert(SPREAD.to_owned(), number(1));
    if let Some(own) = quantity(first) {
        let others = keys.iter().filter_map(|key| found.get(key)).filter_map(quantity);
        all.insert(QUANTITY.to_owned(), number(own + others.sum::<u64>()));
    }
    let missing = keys.into_iter().filter(|key| !found.contains_key(key)).collect();
    (Cow::Owned(all), missing)
}

/// Returns the pieces in an item; `None` if the product is not counted.
pub(super) fn quantity(item: &Item) -> Option<u64> {
    item.get(QUANTITY)?.as_n().ok()?.parse().ok()
}

fn product_id(item: &Item) -> Option<ProductId> {
    if is_stock(item) { text(item, "productId")?.parse().ok() } else { None }
}

fn spread(first: &Item) -> u8 {
    let spread = first.get(SPREAD).and_then(|spread| spread.as_n().ok()?.parse().ok());
    spread.unwrap_or(1).clamp(1, MAX_SPREAD)
}

fn key(schema::Key { pk, sk }: schema::Key) -> ItemKey {
    ItemKey { pk, sk }
}
