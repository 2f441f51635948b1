//! From the table to the source: checks that the table has nothing unexpected.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::schema::{GSI1, GSI1PK, Item, ItemType, PK};
use storefront_core::{UserId, schema};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::Verification;
use super::compare::user_of_guard;
use super::difference::{Difference, What};
use super::expectation::Expects;
use super::item::{ItemKey, legacy_id, text, type_of};
use super::reads::{BATCH, Reads};
use super::sides::{is_ignored, kind_of};
use super::stock;
use crate::load::batch::pauses;
use crate::{Error, Kind, Reader};

/// How often to look for an order that is not in the index, which lags behind the table.
const LOOKS: usize = 4;

/// What the source has of a unit of which the table has items.
enum OfSource {
    /// The items that it should have.
    Items(HashSet<ItemKey>),
    /// Why a load rejects it.
    Rejected(&'static str),
}

/// Looks up all items of the table in the source.
pub(super) async fn run(
    of: &mut Verification,
    reader: &mut Reader,
    segments: u16,
) -> Result<(), Error> {
    of.display.begin("table", of.sides.expected(), 0, 0);
    let mut count = 0;
    let (sender, mut pages) = mpsc::channel(usize::from(segments));
    let mut scans = JoinSet::new();
    for segment in 0..segments {
        scans.spawn(scan(Arc::clone(&of.reads), segment, segments, sender.clone()));
    }
    drop(sender);
    while let Some(page) = pages.recv().await {
        let items: Vec<Item> = page?;
        count += items.len() as u64;
        of.page(reader, &items).await?;
        of.display.step(count, count, || Some(of.reads.spent()));
    }
    of.display.end();
    Ok(())
}

/// Sends all pages of a segment, as long as there is a receiver.
async fn scan(
    reads: Arc<Reads>,
    segment: u16,
    segments: u16,
    pages: mpsc::Sender<Result<Vec<Item>, Error>>,
) {
    let mut after = None;
    loop {
        let page = reads.scan(segment.into(), segments.into(), after).await;
        let (items, last) = match page {
            Ok(page) => (Ok(page.items), page.last),
            Err(error) => (Err(error), None),
        };
        if pages.send(items).await.is_err() || last.is_none() {
            return;
        }
        after = last;
    }
}

impl Verification {
    async fn page(&mut self, reader: &mut Reader, items: &[Item]) -> Result<(), Error> {
        let mut by_kind: BTreeMap<Kind, Vec<(&str, &Item)>> = BTreeMap::new();
        let mut own = Vec::new();
        for item in items {
            self.sides.find(item);
            let item_type = type_of(item);
            match (kind_of(item_type), legacy_id(item)) {
                (Some(kind), Some(legacy_id)) => {
                    by_kind.entry(kind).or_default().push((legacy_id, item));
                }
                // How a product is spread does not change what the shop has of it.
                (Some(_), None) if self.is_strict && !stock::is_further(item) => {
                    self.unexpected(item, "the shop itself has created it")?;
                }
                (Some(_), None) => own.push(item),
                (None, _) if is_ignored(item_type) => {}
                (None, _) => self.unexpected(item, "the shop has no items of this type")?,
            }
        }
        for (kind, items) in by_kind {
            let legacy_ids: BTreeSet<_> = items.iter().map(|(legacy_id, _)| *legacy_id).collect();
            let units = self.look_up(reader, kind, &legacy_ids).await?;
            for (legacy_id, item) in items {
                let key = ItemKey::of(item);
                let why = match units.get(legacy_id) {
                    Some(OfSource::Items(keys)) if keys.contains(&key) => continue,
                    Some(OfSource::Items(_)) if self.is_left(kind, legacy_id) => continue,
                    Some(OfSource::Items(_)) => {
                        format!("the {} that it belongs to has no such item", kind.entity())
                    }
                    Some(OfSource::Rejected(why)) => format!("a load rejects it ({why})"),
                    None => "the source does not have it".to_owned(),
                };
                self.unexpected(item, &why)?;
            }
        }
        self.of_shop(&own).await
    }

    /// Returns what the source has of the units with these keys.
    async fn look_up(
        &mut self,
        reader: &mut Reader,
        kind: Kind,
        legacy_ids: &BTreeSet<&str>,
    ) -> Result<HashMap<String, OfSource>, Error> {
        // If the source has no keys, their types are unknown, and there is nothing to look up.
        let types = &*self.key_types.entry(kind).or_default();
        let keys: Vec<_> = legacy_ids.iter().flat_map(|legacy_id| types.keys(legacy_id)).collect();
        let mut units = HashMap::with_capacity(keys.len());
        if keys.is_empty() {
            return Ok(units);
        }
        for read in reader.find(kind, &keys).await? {
            let Some(legacy_id) = read.key.as_ref().map(ToString::to_string) else { continue };
            let found = match self.expectation.of(read).await? {
                Expects::These(items) | Expects::Perhaps(items) => {
                    OfSource::Items(items.iter().map(ItemKey::of).collect())
                }
                Expects::Nothing(reject) => OfSource::Rejected(reject.reason.kind()),
            };
            units.insert(legacy_id, found);
        }
        Ok(units)
    }

    /// Checks that what the shop itself has created belongs to something. An order never gets more
    /// items than it was placed with.
    async fn of_shop(&mut self, items: &[&Item]) -> Result<(), Error> {
        self.stock_of_shop(items).await?;
        let is = |item: &Item, kind: ItemType| type_of(item) == kind.as_str();
        let guards: Vec<_> = items.iter().filter(|it| is(it, ItemType::UniqueEmail)).collect();
        for guards in guards.chunks(BATCH) {
            let users: HashSet<_> = guards.iter().filter_map(|guard| user(guard)).collect();
            let users = users.into_iter().map(|key| key.to_item()).collect();
            let users = self.reads.get(users).await?;
            for guard in guards {
                let user = user(guard).and_then(|key| users.get(&key));
                if user.is_none_or(|user| text(user, GSI1PK) != text(guard, PK)) {
                    self.unexpected(guard, "it belongs to no user")?;
                }
            }
        }
        let order_items = items.iter().filter(|it| is(it, ItemType::OrderItem));
        let mut by_order: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
        for item in order_items {
            by_order.entry(text(item, PK).unwrap_or_default()).or_default().push(item);
        }
        for (partition, items) in by_order {
            let why = match self.reads.order(partition).await? {
                Some(order) if legacy_id(&order).is_none() => continue,
                Some(_) => "its order was placed without it",
                None => "its order does not exist",
            };
            for item in items {
                self.unexpected(item, why)?;
            }
        }
        Ok(())
    }

    async fn stock_of_shop(&mut self, items: &[&Item]) -> Result<(), Error> {
        let items: Vec<_> = items.iter().filter(|item| stock::is_stock(item)).collect();
        for items in items.chunks(BATCH) {
            let owners: HashSet<_> = items.iter().filter_map(|item| stock::owner(item)).collect();
            let owners = owners.into_iter().map(|key| key.to_item()).collect();
            let owners = self.reads.get(owners).await?;
            for item in items {
                let why = match stock::owner(item).and_then(|key| owners.get(&key)) {
                    None => "it belongs to no product",
                    Some(owner) if stock::is_further(item) && !stock::reaches(owner, item) => {
                        "its product is spread over fewer stock items"
                    }
                    Some(_) => continue,
                };
                self.unexpected(item, why)?;
            }
        }
        Ok(())
    }

    fn unexpected(&mut self, item: &Item, why: &str) -> Result<(), Error> {
        self.differences.note(Difference {
            entity: kind_of(type_of(item)),
            legacy_id: legacy_id(item).map(str::to_owned),
            item_type: type_of(item).to_owned(),
            key: ItemKey::of(item),
            user_id: user_of_guard(item),
            what: What::Unexpected { why: why.to_owned() },
        })
    }
}

/// Returns the key of the user whose email a guard keeps.
fn user(guard: &Item) -> Option<ItemKey> {
    let id: UserId = text(guard, "userId")?.parse().ok()?;
    let schema::Key { pk, sk } = schema::Key::user(id);
    Some(ItemKey { pk, sk })
}

impl Reads {
    /// Returns the order whose items are in this partition.
    async fn order(&self, partition: &str) -> Result<Option<Item>, Error> {
        let mut pauses = pauses().take(LOOKS);
        loop {
            let found = self.of_index(partition).await?;
            match pauses.next() {
                Some(pause) if found.is_none() => sleep(pause).await,
                _ => return Ok(found),
            }
        }
    }

    async fn of_index(&self, partition: &str) -> Result<Option<Item>, Error> {
        let request = self
            .query()
            .index_name(GSI1)
            .key_condition_expression("GSI1PK = :order")
            .expression_attribute_values(":order", AttributeValue::S(partition.to_owned()))
            .limit(1);
        let answer = self.answer(0.5, || request.clone().send()).await?;
        self.consumed(0.5, answer.consumed_capacity.as_slice());
        Ok(answer.items.and_then(|items| items.into_iter().next()))
    }
}
