//! Orders on their way from rows to units.

use std::collections::{BTreeSet, HashMap};

use futures_util::TryStreamExt as _;

use super::page::Group;
use super::read::{Read, read};
use super::select::Select;
use super::{Connection, Key, Row, Value};
use crate::entity::{self, Draft, Known, Reason};
use crate::{Entity, Error, Mapping, Unit};

/// How many keys are looked up at once. A power of two, to which fewer keys are padded, too, so
/// that there are few different statements to prepare.
pub(super) const LOOKED_UP: usize = 512;

/// How many rows of an order's items are used. Far fewer items are allowed, but rows of the same
/// product become one item.
const MAX_ROWS_OF_ORDER: usize = 500;

/// Orders whose items are being read.
pub(super) struct Drafts {
    drafts: Vec<(Key, Draft, Vec<Row>)>,
    /// The position of each draft, by its key as text.
    places: HashMap<String, usize>,
}

impl Drafts {
    pub(super) fn of(orders: Vec<Group>) -> Self {
        let places = orders.iter().enumerate().map(|(at, group)| (group.key.to_string(), at));
        let places = places.collect();
        let drafts = orders.into_iter().map(|Group { key, first, others }| {
            (key, Draft { row: first, items: Vec::new(), item_count: 0 }, others)
        });
        Self { drafts: drafts.collect(), places }
    }

    /// Adds an item to its order. Returns the item if its order is not among these.
    pub(super) fn add(&mut self, order: &Key, item: Row) -> Option<Row> {
        let Some(&place) = self.places.get(&order.to_string()) else { return Some(item) };
        let (_, draft, _) = &mut self.drafts[place];
        draft.item_count += 1;
        if draft.items.len() < MAX_ROWS_OF_ORDER {
            draft.items.push(item);
        }
        None
    }

    /// Returns the units. Looks up the users and products of the orders, because their ids are
    /// derived from times that the orders do not have.
    pub(super) async fn into_reads(
        self,
        connection: &mut Connection,
        users: &Select,
        products: &Select,
        mapping: &Mapping,
    ) -> Result<Vec<Read>, Error> {
        let keys = self.drafts.iter().filter_map(|(_, draft, _)| draft.user());
        let users = created_at(connection, users, keys.collect()).await?;
        let keys = self.drafts.iter().flat_map(|(_, draft, _)| draft.products());
        let products = created_at(connection, products, keys.collect()).await?;
        let known = Known { users, products };
        let reads = self.drafts.into_iter().map(|(key, mut draft, others)| {
            draft.sort();
            let unit = match others.len() {
                0 => entity::order(&draft, &known, mapping).map(Unit::Order),
                more => Err(Reason::SharedKey { rows: more + 1 }),
            };
            let more = others.into_iter().chain(draft.items).collect();
            Read::of(Entity::Order, key, unit, draft.row, more)
        });
        Ok(reads.collect())
    }
}

/// Returns the `createdAt` of those keys that exist.
async fn created_at(
    connection: &mut Connection,
    select: &Select,
    keys: BTreeSet<Key>,
) -> Result<HashMap<String, Value>, Error> {
    let mut known = HashMap::with_capacity(keys.len());
    let keys: Vec<_> = keys.into_iter().collect();
    for keys in keys.chunks(LOOKED_UP) {
        let keys = padded(keys);
        let mut rows = connection.rows(select.created_at_among(keys.len()), &keys);
        while let Some(values) = rows.try_next().await.map_err(read(select))? {
            let mut values = values.into_iter();
            let key = values.next().as_ref().and_then(Key::of);
            if let (Some(key), Some(created_at)) = (key, values.next()) {
                known.insert(key.to_string(), created_at);
            }
        }
    }
    Ok(known)
}

/// Repeats the last key until there are as many keys as a statement is prepared for.
pub(super) fn padded(keys: &[Key]) -> Vec<Key> {
    let mut keys = keys.to_vec();
    if let Some(last) = keys.last().cloned() {
        keys.resize(keys.len().next_power_of_two(), last);
    }
    keys
}
