use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use storefront_core::{Order, OrderId, OrderStatus, ProductId, UserId};

use super::{Deed, Entry, Told};
use crate::Snapshot;

pub(super) fn violations(entries: &[Entry], before: &Snapshot, snapshot: &Snapshot) -> Vec<String> {
    let mut found: Vec<String> = entries.iter().filter_map(Entry::fault).collect();
    let check = Check { entries, before, snapshot };
    check.users(&mut found);
    check.accounts(&mut found);
    check.products(&mut found);
    check.placed_orders(&mut found);
    check.other_orders(&mut found);
    check.keys(&mut found);
    check.statuses(&mut found);
    check.expected_versions(&mut found);
    found
}

pub(super) struct Check<'a> {
    pub(super) entries: &'a [Entry],
    pub(super) before: &'a Snapshot,
    pub(super) snapshot: &'a Snapshot,
}

/// How often a change was acknowledged, and how often nobody knows.
#[derive(Clone, Copy, Default)]
struct Changes {
    done: u64,
    unknown: u64,
}

/// What tells an order from others: whose it is, and what is in it.
type Content = (UserId, BTreeMap<ProductId, u32>);

impl Check<'_> {
    /// Who was registered is there, unless deleted; and counts the changes.
    fn users(&self, found: &mut Vec<String>) {
        let changes = self.changes(|deed| match deed {
            Deed::ChangeUser { id, .. } => Some(*id),
            _ => None,
        });
        let deletions = self.changes(|deed| match deed {
            Deed::DeleteUser { id, .. } => Some(*id),
            _ => None,
        });
        let registered = self.entries.iter().filter_map(|entry| match entry.deed {
            Deed::Register { .. } if entry.told() == Told::Done => entry.id::<UserId>(),
            _ => None,
        });
        let touched: BTreeSet<UserId> = registered.chain(changes.keys().copied()).collect();
        for id in touched.iter().chain(deletions.keys()) {
            let name = format!("user {id}");
            let version = self.snapshot.users.get(id).map(|user| user.version);
            check_existence(&name, version.is_some(), deletions.get(id), found);
            let changes = changes.get(id).copied().unwrap_or_default();
            check_version(&name, version, 1 + changes.done, changes.unknown, found);
        }
    }

    /// The stock is what it was, less what was sold; and each sale and each change is counted.
    fn products(&self, found: &mut Vec<String>) {
        let changes = self.changes(|deed| match deed {
            Deed::ChangeProduct { id, .. } => Some(*id),
            _ => None,
        });
        let deletions = self.changes(|deed| match deed {
            Deed::DeleteProduct { id, .. } => Some(*id),
            _ => None,
        });
        let restocked: BTreeSet<ProductId> = self
            .entries
            .iter()
            .filter_map(|entry| match entry.deed {
                Deed::ChangeProduct { id, sets_stock: true, .. } => Some(id),
                _ => None,
            })
            .collect();
        for entry in self.entries {
            let Deed::CreateProduct { stock } = entry.deed else { continue };
            let (Told::Done, Some(id)) = (entry.told(), entry.id::<ProductId>()) else { continue };
            let name = format!("product {id}");
            let product = self.snapshot.products.get(&id);
            check_existence(&name, product.is_some(), deletions.get(&id), found);
            let Some(product) = product else { continue };
            let sales = self.sales_of(id);
            let mut counted = 1 + changes.get(&id).map_or(0, |changes| changes.done);
            if stock.is_some() {
                counted += sales.orders + sales.cancelled_orders;
            }
            let unknown = changes.get(&id).map_or(0, |changes| changes.unknown);
            check_version(&name, Some(product.version), counted, unknown, found);
            if !restocked.contains(&id) {
                let left = stock.map(|stock| stock.checked_sub(sales.sold));
                if product.stock.map(Some) != left {
                    found.push(format!(
                        "{name} had stock {stock:?} and sold {}, but has {:?}",
                        sales.sold, product.stock
                    ));
                }
            }
        }
    }

    /// Who was told that an order is placed has it, as ordered.
    fn placed_orders(&self, found: &mut Vec<String>) {
        for (user_id, items, entry) in self.placements(Told::Done) {
            let Some(id) = entry.id::<OrderId>() else {
                found.push(format!("an order was answered without its id: {}", entry.answer.body));
                continue;
            };
            let order = self.snapshot.orders.get(&id).map(|order| self.content(order));
            if order != Some((user_id, items.clone())) {
                found.push(format!("{user_id} was told of order {id} of {items:?}: {order:?}"));
            }
        }
    }

    /// Every order that nobody was told of is one that somebody was told nothing about: so who was
    /// refused one has none.
    fn other_orders(&self, found: &mut Vec<String>) {
        let told: BTreeSet<OrderId> =
            self.placements(Told::Done).filter_map(|(.., entry)| entry.id()).collect();
        let keys: BTreeMap<OrderId, &str> = self
            .snapshot
            .idempotency_keys
            .iter()
            .map(|((_, key), order_id)| (*order_id, key.as_str()))
            .collect();
        let mut unknown: BTreeMap<(Content, Option<&str>), usize> = BTreeMap::new();
        for (user_id, items, entry) in self.placements(Told::Unknown) {
            *unknown.entry(((user_id, items.clone()), entry.key())).or_default() += 1;
        }
        for order in self.snapshot.orders.values().filter(|order| !told.contains(&order.id)) {
            let content = self.content(order);
            let key = keys.get(&order.id).copied();
            match unknown.get_mut(&(content, key)) {
                Some(left) if *left > 0 => *left -= 1,
                _ => found.push(format!(
                    "order {} (key {key:?}) is of nobody who was left in the dark about it",
                    order.id
                )),
            }
        }
    }

    /// One order for each key, created once and replayed ever after.
    fn keys(&self, found: &mut Vec<String>) {
        let mut answers: BTreeMap<(UserId, &str), Vec<&Entry>> = BTreeMap::new();
        for (user_id, _, entry) in self.placements(Told::Done) {
            if let Some(key) = entry.key() {
                answers.entry((user_id, key)).or_default().push(entry);
            }
        }
        for ((user_id, key), answers) in answers {
            let orders: BTreeSet<OrderId> = answers.iter().filter_map(|entry| entry.id()).collect();
            let created = answers.iter().filter(|entry| entry.answer.status == 201).count();
            if orders.len() != 1 || created > 1 {
                found.push(format!("the key {key} placed {created} orders: {orders:?}"));
            }
            let recorded = self.snapshot.idempotency_keys.get(&(user_id, key.to_owned()));
            if recorded != orders.first() {
                found.push(format!("the key {key} stands for {recorded:?}, not for {orders:?}"));
            }
        }
    }

    /// A status that was acknowledged was reached, and by one change only.
    fn statuses(&self, found: &mut Vec<String>) {
        let changes = self.changes(|deed| match deed {
            Deed::ChangeStatus { id, to, .. } => Some((*id, to.as_str())),
            _ => None,
        });
        for ((id, to), changes) in &changes {
            if changes.done > 1 {
                found.push(format!("order {id} became {to} {} times", changes.done));
            }
            let Some(order) = self.snapshot.orders.get(id) else { continue };
            if changes.done > 0 && !has_been(order.status, to) {
                found.push(format!("order {id} became {to}, but is {}", order.status));
            }
        }
        for order in self.snapshot.orders.values() {
            for status in way_to(order) {
                let changes = changes.get(&(order.id, status)).copied().unwrap_or_default();
                if changes.done + changes.unknown == 0 {
                    found.push(format!("order {} became {status}, and nobody was told", order.id));
                }
            }
        }
    }

    /// Of several who change or delete the same version, one does.
    fn expected_versions(&self, found: &mut Vec<String>) {
        let changes = self.changes(|deed| match deed {
            Deed::ChangeUser { id, expected: Some(version), .. }
            | Deed::DeleteUser { id, expected: Some(version) } => {
                Some((format!("user {id}"), *version))
            }
            Deed::ChangeProduct { id, expected: Some(version), .. }
            | Deed::DeleteProduct { id, expected: Some(version) } => {
                Some((format!("product {id}"), *version))
            }
            Deed::ChangeStatus { id, expected: Some(version), .. } => {
                Some((format!("order {id}"), *version))
            }
            _ => None,
        });
        for ((name, version), changes) in changes {
            if changes.done > 1 {
                found.push(format!("{} changes of {name} met version {version}", changes.done));
            }
        }
    }

    fn changes<K: Ord>(&self, of: impl Fn(&Deed) -> Option<K>) -> BTreeMap<K, Changes> {
        let mut changes: BTreeMap<K, Changes> = BTreeMap::new();
        for entry in self.entries {
            if let Some(key) = of(&entry.deed) {
                let changes = changes.entry(key).or_default();
                match entry.told() {
                    Told::Done => changes.done += 1,
                    Told::Unknown => changes.unknown += 1,
                    Told::Refused => {}
                }
            }
        }
        changes
    }

    fn placements(
        &self,
        told: Told,
    ) -> impl Iterator<Item = (UserId, &BTreeMap<ProductId, u32>, &Entry)> {
        self.entries.iter().filter(move |entry| entry.told() == told).filter_map(|entry| {
            match &entry.deed {
                Deed::PlaceOrder { user_id, items, .. } => Some((*user_id, items, entry)),
                _ => None,
            }
        })
    }

    fn content(&self, order: &Order) -> Content {
        let items = self.snapshot.order_items.get(&order.id).into_iter().flatten();
        (order.user_id, items.map(|item| (item.product_id, item.quantity)).collect())
    }

    fn sales_of(&self, product_id: ProductId) -> Sales {
        let mut sales = Sales::default();
        for item in self.snapshot.order_items.values().flatten() {
            let order = self.snapshot.orders.get(&item.order_id);
            if let Some(order) = order.filter(|_| item.product_id == product_id) {
                sales.orders += 1;
                if order.status == OrderStatus::Cancelled {
                    sales.cancelled_orders += 1;
                } else {
                    sales.sold += u64::from(item.quantity);
                }
            }
        }
        sales
    }
}

#[derive(Default)]
struct Sales {
    /// Cancelled ones included.
    orders: u64,
    cancelled_orders: u64,
    /// In pieces, without those of cancelled orders.
    sold: u64,
}

impl Entry {
    fn key(&self) -> Option<&str> {
        match &self.deed {
            Deed::PlaceOrder { key, .. } => key.as_deref(),
            _ => None,
        }
    }
}

fn check_existence(name: &str, exists: bool, deletions: Option<&Changes>, found: &mut Vec<String>) {
    let Changes { done, unknown } = deletions.copied().unwrap_or_default();
    if exists && done > 0 {
        found.push(format!("{name} is deleted, and is there"));
    }
    if !exists && done + unknown == 0 {
        found.push(format!("{name} is gone, and nobody deleted it"));
    }
}

fn check_version(
    name: impl Display,
    version: Option<u64>,
    counted: u64,
    unknown: u64,
    found: &mut Vec<String>,
) {
    if let Some(version) =
        version.filter(|version| !(counted..=counted + unknown).contains(version))
    {
        found.push(format!(
            "{name} is at version {version}, not at {counted} with up to {unknown} more"
        ));
    }
}

/// Whether an order with this status may have had that one before, or has it.
fn has_been(now: OrderStatus, earlier: &str) -> bool {
    match now {
        OrderStatus::Cancelled => ["paid", "cancelled"].contains(&earlier),
        now => way(now).contains(&earlier),
    }
}

/// The statuses that an order has gone through, but for its first.
fn way_to(order: &Order) -> Vec<&'static str> {
    match order.status {
        OrderStatus::Cancelled if order.version == 3 => vec!["paid", "cancelled"],
        OrderStatus::Cancelled => vec!["cancelled"],
        status => way(status).to_vec(),
    }
}

fn way(to: OrderStatus) -> &'static [&'static str] {
    let way = ["paid", "shipped", "delivered"].as_slice();
    let length = way.iter().position(|status| *status == to.as_str()).map_or(0, |at| at + 1);
    &way[..length]
}
