//! Reads items of the table, and checks their keys.

use serde::de::DeserializeOwned;
use storefront_core::schema::{self, IndexKey, Item, Key, WorklistKey};
use storefront_core::{Email, Order};

use crate::entities::Snapshot;

impl Snapshot {
    /// Reads the items of a whole table.
    pub(crate) fn of(items: impl IntoIterator<Item = Item>) -> Self {
        let mut snapshot = Self::default();
        for item in items {
            if let Err(fault) = snapshot.add(&item) {
                let (pk, sk) = (text(&item, schema::PK), text(&item, schema::SK));
                snapshot.malformed.push(format!("the item {pk} {sk} {fault}"));
            }
        }
        snapshot
    }
}

pub(crate) fn entity<T: DeserializeOwned>(item: &Item) -> Result<T, String> {
    serde_dynamo::from_item(item.clone()).map_err(|error| format!("cannot be read: {error}"))
}

pub(crate) fn expect_keys(
    item: &Item,
    key: Key,
    index_key: Option<IndexKey>,
) -> Result<(), String> {
    let mut expected = Item::from(key);
    expected.extend(index_key.map(Item::from).into_iter().flatten());
    let names = [schema::PK, schema::SK, schema::GSI1PK, schema::GSI1SK];
    if names.iter().all(|name| item.get(*name) == expected.get(*name)) {
        Ok(())
    } else {
        Err("has keys that do not match its attributes".to_owned())
    }
}

/// An order is in the list of what is to be done with it, and in no other.
pub(crate) fn expect_worklist_key(item: &Item, order: &Order) -> Result<(), String> {
    let key = order.worklist().map(|list| WorklistKey::order(list, order.id));
    let expected: Item = key.map(Item::from).into_iter().flatten().collect();
    let names = [schema::GSI2PK, schema::GSI2SK];
    if names.iter().all(|name| item.get(*name) == expected.get(*name)) {
        Ok(())
    } else {
        let list = text(item, schema::GSI2PK);
        Err(format!("is in the list {list:?}, and should be in {:?}", order.worklist()))
    }
}

/// The email in the partition key.
pub(crate) fn partition_email(item: &Item) -> Result<Email, String> {
    let pk = text(item, schema::PK);
    schema::email_of_partition(&pk).ok_or_else(|| "is not in an email's partition".to_owned())
}

pub(crate) fn text(item: &Item, attribute: &str) -> String {
    item.get(attribute).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

pub(crate) fn check_version_is_positive(
    entity: impl std::fmt::Display,
    version: u64,
    violations: &mut Vec<String>,
) {
    if version == 0 {
        violations.push(format!("{entity} has version 0"));
    }
}
