//! Counts the items and their sizes.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;
use storefront_core::schema::{Item, ItemType, TYPE};

use super::distribution::{histogram, ratio};
use crate::entity::migrated_types;
use crate::size;

/// The size from which an item is near the limit: 80 % of it.
pub(super) const NEAR: u64 = size::MAX_ITEM / 5 * 4;

/// The items of one type.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Items {
    /// The value of `_type`.
    #[serde(rename = "type")]
    pub(super) name: &'static str,
    #[serde(flatten)]
    pub(super) sums: Sums,
    pub(super) mean_bytes: f64,
    /// Quantiles are accurate to three digits.
    pub(super) p50_bytes: u64,
    pub(super) p99_bytes: u64,
    pub(super) max_bytes: u64,
    /// The source's key of the largest item.
    pub(super) largest: Option<String>,
}

/// Sums over items. Sizes do not include the overhead of storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sums {
    /// In the table.
    pub(super) items: u64,
    pub(super) bytes: u64,
    pub(super) write_units: u64,
    /// Their copies in the indexes.
    pub(super) index_items: u64,
    pub(super) index_bytes: u64,
    pub(super) index_write_units: u64,
    /// The length of the lines of DynamoDB JSON.
    pub(super) import_bytes: u64,
    /// The number of items of 80 % of the maximum size or more.
    pub(super) near_limit: u64,
}

/// Returns the mean size of the items of a type.
pub(super) fn mean_bytes(items: &[Items], item_type: ItemType) -> f64 {
    let found = items.iter().find(|items| items.name == item_type.as_str());
    found.map_or(0.0, |items| items.mean_bytes)
}

/// Counts items of one type.
struct Type {
    sums: Sums,
    sizes: Histogram<u64>,
    max: u64,
    largest: Option<String>,
}

/// Counts all items.
pub(super) struct Census {
    types: BTreeMap<ItemType, Type>,
}

impl Census {
    pub(super) fn new() -> Self {
        Self { types: migrated_types().map(|item_type| (item_type, Type::new())).collect() }
    }

    /// Counts an item, and returns its size.
    pub(super) fn add(&mut self, item: &Item, legacy_id: &str) -> u64 {
        let bytes = size::item(item);
        let item_type = item.get(TYPE).and_then(|value| value.as_s().ok()?.parse().ok());
        if let Some(counted) = item_type.and_then(|item_type| self.types.get_mut(&item_type)) {
            counted.add(item, bytes, legacy_id);
        }
        bytes
    }

    pub(super) fn finish(self) -> Vec<Items> {
        self.types.into_iter().map(|(item_type, counted)| counted.finish(item_type)).collect()
    }
}

impl Type {
    fn new() -> Self {
        Self { sums: Sums::default(), sizes: histogram(), max: 0, largest: None }
    }

    fn add(&mut self, item: &Item, bytes: u64, legacy_id: &str) {
        let units = size::write_units(bytes);
        let sums = &mut self.sums;
        sums.items += 1;
        sums.bytes += bytes;
        sums.write_units += units;
        for bytes in size::copies(item) {
            sums.index_items += 1;
            sums.index_bytes += bytes;
            sums.index_write_units += size::write_units(bytes);
        }
        sums.import_bytes += size::json_line(item);
        sums.near_limit += u64::from(bytes >= NEAR);
        self.sizes.saturating_record(bytes);
        if bytes > self.max {
            self.max = bytes;
            self.largest = Some(legacy_id.to_owned());
        }
    }

    fn finish(self, item_type: ItemType) -> Items {
        let quantile = |q| self.sizes.value_at_quantile(q).min(self.max);
        Items {
            name: item_type.as_str(),
            mean_bytes: ratio(self.sums.bytes, self.sums.items),
            p50_bytes: quantile(0.5),
            p99_bytes: quantile(0.99),
            max_bytes: self.max,
            largest: self.largest,
            sums: self.sums,
        }
    }
}

impl Sums {
    pub(super) fn of<'a>(all: impl IntoIterator<Item = &'a Self>) -> Self {
        all.into_iter().fold(Self::default(), |sum, sums| Self {
            items: sum.items + sums.items,
            bytes: sum.bytes + sums.bytes,
            write_units: sum.write_units + sums.write_units,
            index_items: sum.index_items + sums.index_items,
            index_bytes: sum.index_bytes + sums.index_bytes,
            index_write_units: sum.index_write_units + sums.index_write_units,
            import_bytes: sum.import_bytes + sums.import_bytes,
            near_limit: sum.near_limit + sums.near_limit,
        })
    }

    /// Returns the bytes for which the table's storage is billed.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.bytes + self.items * size::STORED_WITH
    }

    /// Returns the bytes for which the index's storage is billed.
    pub(super) fn index_stored_bytes(&self) -> u64 {
        self.index_bytes + self.index_items * size::STORED_WITH
    }
}
