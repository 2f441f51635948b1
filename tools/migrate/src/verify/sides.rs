//! How many items of each type the source should have, and how many the table has.

use std::collections::BTreeMap;

use storefront_core::schema::{Item, ItemType};

use super::item::{Digest, legacy_id, type_of};
use crate::Kind;

/// Returns the kind whose units have items of this type.
pub(super) fn kind_of(item_type: &str) -> Option<Kind> {
    Kind::with_items(item_type.parse().ok()?)
}

/// A number of items, and the sum of their digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) items: u64,
    pub(super) digest: Digest,
}

/// Counts by type.
#[derive(Debug, Default)]
pub(super) struct Sides {
    /// The items that the source's units should have.
    pub(super) source: BTreeMap<String, Sum>,
    /// The table's items with a key of the source.
    pub(super) table: BTreeMap<String, Sum>,
    /// The table's items without one, which the shop itself has created.
    pub(super) own: BTreeMap<String, u64>,
    /// The table's items that the shop keeps for itself, and that are not migrated.
    pub(super) ignored: BTreeMap<String, u64>,
}

impl Sum {
    fn add(&mut self, item: &Item) {
        self.items += 1;
        self.digest.add(Digest::of(item));
    }
}

impl Sides {
    pub(super) fn expect(&mut self, item: &Item) {
        self.source.entry(type_of(item).to_owned()).or_default().add(item);
    }

    pub(super) fn find(&mut self, item: &Item) {
        let item_type = type_of(item).to_owned();
        if is_ignored(&item_type) {
            *self.ignored.entry(item_type).or_default() += 1;
        } else if legacy_id(item).is_some() {
            self.table.entry(item_type).or_default().add(item);
        } else {
            *self.own.entry(item_type).or_default() += 1;
        }
    }

    /// Returns how many items the source's units should have.
    pub(super) fn expected(&self) -> u64 {
        self.source.values().map(|sum| sum.items).sum()
    }
}

/// Whether items of this type are not migrated.
pub(super) fn is_ignored(item_type: &str) -> bool {
    item_type.parse::<ItemType>().is_ok_and(|item_type| Kind::with_items(item_type).is_none())
}
