use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use storefront_core::schema::{self, IndexKey, Item, ItemType, Key};
use storefront_core::{
    Email, MAX_LOGIN_FAILURES, Order, OrderId, OrderItem, Product, ProductId, User, UserId,
};

/// All that lies in the table at one moment, which must be one without requests under way.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Snapshot {
    pub users: BTreeMap<UserId, User>,
    /// Who has which email.
    pub guards: BTreeMap<String, UserId>,
    pub products: BTreeMap<ProductId, Product>,
    pub orders: BTreeMap<OrderId, Order>,
    pub order_items: BTreeMap<OrderId, Vec<OrderItem>>,
    /// The order that each user placed with each idempotency key.
    pub idempotency_keys: BTreeMap<(UserId, String), OrderId>,
    /// How many log-ins of an email have failed.
    pub login_failures: BTreeMap<String, usize>,
    /// What no item may look like, found while it was read.
    misshapen: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Guard {
    user_id: UserId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IdempotencyRecord {
    order_id: OrderId,
}

#[derive(Deserialize)]
struct LoginAttempts {
    #[serde(default)]
    attempts: Vec<String>,
}

impl Snapshot {
    /// Reads the items of a whole table.
    pub fn of(items: impl IntoIterator<Item = Item>) -> Self {
        let mut snapshot = Self::default();
        for item in items {
            let key = text(&item, schema::PK) + " " + &text(&item, schema::SK);
            if let Err(fault) = snapshot.add(&item) {
                snapshot.misshapen.push(format!("the item {key} {fault}"));
            }
        }
        snapshot
    }

    fn add(&mut self, item: &Item) -> Result<(), String> {
        let pk = text(item, schema::PK);
        let sk = text(item, schema::SK);
        let item_type = text(item, schema::TYPE);
        let item_type: ItemType =
            item_type.parse().map_err(|_| format!("is of the unknown type {item_type:?}"))?;
        match item_type {
            ItemType::User => {
                let user: User = entity(item)?;
                let index_key = IndexKey::user(user.id, &user.email);
                expect_keys(item, Key::user(user.id), Some(index_key))?;
                self.users.insert(user.id, user);
            }
            ItemType::UniqueEmail => {
                let guard: Guard = entity(item)?;
                let email = email_of(&pk)?;
                expect_keys(item, Key::unique_email(&email), None)?;
                self.guards.insert(email.as_str().to_owned(), guard.user_id);
            }
            ItemType::Product => {
                let product: Product = entity(item)?;
                let index_key = IndexKey::product(product.id, &product.category);
                expect_keys(item, Key::product(product.id), Some(index_key))?;
                self.products.insert(product.id, product);
            }
            ItemType::Order => {
                let order: Order = entity(item)?;
                let index_key = IndexKey::order(order.user_id, order.id);
                expect_keys(item, Key::order(order.user_id, order.id), Some(index_key))?;
                self.orders.insert(order.id, order);
            }
            ItemType::OrderItem => {
                let order_item: OrderItem = entity(item)?;
                let key = Key::order_item(order_item.order_id, order_item.product_id);
                expect_keys(item, key, None)?;
                self.order_items.entry(order_item.order_id).or_default().push(order_item);
            }
            ItemType::Idempotency => {
                let record: IdempotencyRecord = entity(item)?;
                let user_id = schema::user_of_partition(&pk);
                let user_id = user_id.ok_or("is not in a user's partition")?;
                let key = schema::idempotency_key_of(&sk).ok_or("has another's sort key")?;
                let key = key.as_str().to_owned();
                self.idempotency_keys.insert((user_id, key), record.order_id);
            }
            ItemType::LoginAttempts => {
                let attempts: LoginAttempts = entity(item)?;
                let email = email_of(&pk)?;
                expect_keys(item, Key::login_attempts(&email), None)?;
                self.login_failures.insert(email.as_str().to_owned(), attempts.attempts.len());
            }
        }
        Ok(())
    }

    /// What must hold of the table whatever has been asked of the shop, and does not: a sentence
    /// for each violation.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut found = self.misshapen.clone();
        self.check_users(&mut found);
        self.check_orders(&mut found);
        self.check_idempotency_keys(&mut found);
        for (email, failures) in &self.login_failures {
            if *failures > MAX_LOGIN_FAILURES {
                found.push(format!("{failures} log-ins of {email} were let through and failed"));
            }
        }
        found
    }

    /// One owner for each email, and a guard for each user.
    fn check_users(&self, found: &mut Vec<String>) {
        for user in self.users.values() {
            let email = user.email.as_str();
            match self.guards.get(email) {
                None => found.push(format!("user {} has {email} without a guard", user.id)),
                Some(owner) if *owner != user.id => {
                    found.push(format!(
                        "user {} has {email}, which is guarded for {owner}",
                        user.id
                    ));
                }
                Some(_) => {}
            }
            check_version(&format!("user {}", user.id), user.version, found);
        }
        for (email, owner) in &self.guards {
            match self.users.get(owner) {
                None => found.push(format!("{email} is guarded for {owner}, who does not exist")),
                Some(user) if user.email.as_str() != email => {
                    found.push(format!("{email} is guarded for {owner}, who has another email"));
                }
                Some(_) => {}
            }
        }
    }

    /// An order exists whole or not at all.
    fn check_orders(&self, found: &mut Vec<String>) {
        for order in self.orders.values() {
            let items = self.order_items.get(&order.id).map_or(&[][..], Vec::as_slice);
            let total: u64 = items.iter().map(|item| item.price * u64::from(item.quantity)).sum();
            if items.is_empty() || order.item_count != items.len() {
                let (expected, there) = (order.item_count, items.len());
                found.push(format!("order {} has {there} of its {expected} items", order.id));
            }
            if order.total != total {
                let charged = order.total;
                found.push(format!("order {} costs {charged}, its items {total}", order.id));
            }
            if order.created_at != order.id.created_at() {
                found.push(format!("order {} was not created at its id's time", order.id));
            }
            let changes = possible_changes(order);
            if !changes.contains(&(order.version - order.version.min(1))) || order.version == 0 {
                let (version, status) = (order.version, order.status);
                found.push(format!("order {} is {status} at version {version}", order.id));
            }
        }
        for order_id in self.order_items.keys() {
            if !self.orders.contains_key(order_id) {
                found.push(format!("there are items of order {order_id}, which does not exist"));
            }
        }
        for product in self.products.values() {
            check_version(&format!("product {}", product.id), product.version, found);
        }
    }

    /// One order for each key, and it is the order of the key's user.
    fn check_idempotency_keys(&self, found: &mut Vec<String>) {
        let mut keys_of: BTreeMap<OrderId, &str> = BTreeMap::new();
        for ((user_id, key), order_id) in &self.idempotency_keys {
            match self.orders.get(order_id) {
                Some(order) if order.user_id == *user_id => {}
                _ => found.push(format!("{user_id} has no order {order_id}, but the key {key}")),
            }
            if let Some(other) = keys_of.insert(*order_id, key) {
                found.push(format!("order {order_id} has two keys, {other} and {key}"));
            }
        }
    }
}

/// How many changes bring an order to its status.
fn possible_changes(order: &Order) -> std::ops::RangeInclusive<u64> {
    use storefront_core::OrderStatus::{Cancelled, Delivered, Paid, Pending, Shipped};
    match order.status {
        Pending => 0..=0,
        Paid => 1..=1,
        Shipped => 2..=2,
        Delivered => 3..=3,
        // A pending one or a paid one.
        Cancelled => 1..=2,
    }
}

fn check_version(what: &str, version: u64, found: &mut Vec<String>) {
    if version == 0 {
        found.push(format!("{what} is at version 0"));
    }
}

fn expect_keys(item: &Item, key: Key, index_key: Option<IndexKey>) -> Result<(), String> {
    let mut expected = Item::from(key);
    expected.extend(index_key.map(Item::from).into_iter().flatten());
    let names = [schema::PK, schema::SK, schema::GSI1PK, schema::GSI1SK];
    if names.iter().all(|name| item.get(*name) == expected.get(*name)) {
        Ok(())
    } else {
        Err("has keys that do not go with its attributes".to_owned())
    }
}

fn email_of(partition_key: &str) -> Result<Email, String> {
    let email = schema::email_of_partition(partition_key);
    email.ok_or_else(|| "is not in an email's partition".to_owned())
}

fn entity<T: DeserializeOwned>(item: &Item) -> Result<T, String> {
    serde_dynamo::from_item(item.clone()).map_err(|error| format!("cannot be read: {error}"))
}

fn text(item: &Item, attribute: &str) -> String {
    item.get(attribute).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}

/// Fails a test with all that was found, and what led to it.
///
/// # Panics
///
/// When anything was found.
#[track_caller]
pub fn assert_none(violations: &[String], of: impl Debug) {
    assert!(violations.is_empty(), "{of:?}:\n  {}", violations.join("\n  "));
}
