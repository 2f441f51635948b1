use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde_json::{Value, json};
use storefront_core::schema::{self, IndexKey, Item, Key};
use storefront_core::{MAX_SPREAD, Order, OrderId, OrderItem, OrderStatus, ProductId, UserId};

use super::{EntityId, Operation, Snapshot, Write};
use crate::engine::checker::Checker;
use crate::engine::client::{Client, with_if_match};
use crate::engine::history::{Exchange, Outcome};
use crate::engine::snapshot::{entity, expect_keys, text};

/// How many of each product an order has.
type Quantities = BTreeMap<ProductId, u32>;

#[derive(Clone, Debug)]
pub(crate) enum OrderOperation {
    Place { user_id: UserId, key: Option<String>, items: Quantities, expected_total: Option<u64> },
    ChangeStatus { id: OrderId, to: OrderStatus, expected_version: Option<u64> },
}

/// The request to place an order, and its answer.
#[derive(Clone, Copy)]
struct Placement<'a> {
    user_id: UserId,
    key: Option<&'a str>,
    items: &'a Quantities,
    expected_total: Option<u64>,
    exchange: &'a Exchange,
}

impl Client {
    /// Mostly with an idempotency key. If the outcome is unknown, tries again with the same one.
    pub(super) async fn place_order(&mut self) {
        let customer = self.customer();
        let key = (self.random.u8(..100) < 70).then(|| format!("key-{}", self.random.u8(..6)));
        let mut items = Quantities::new();
        for _ in 0..self.random.usize(1..=3) {
            items.insert(self.product(), self.random.u32(1..=3));
        }
        let expected_total = self.expected_total(&items).await;
        for _ in 0..3 {
            let listed: Vec<Value> = items
                .iter()
                .map(|(id, quantity)| json!({ "productId": id.to_string(), "quantity": quantity }))
                .collect();
            let mut body = json!({ "items": listed });
            if let Some(total) = expected_total {
                body["expectedTotal"] = json!(total);
            }
            let mut request = self.shop.orders.post("/orders").json(body).by(customer);
            if let Some(key) = &key {
                request = request.header("idempotency-key", key);
            }
            let (key, items) = (key.clone(), items.clone());
            let operation =
                OrderOperation::Place { user_id: customer.user_id, key, items, expected_total };
            let answer = self.send(operation, request).await;
            if answer.status == 201 {
                let id = answer.body["id"].as_str().unwrap().parse().unwrap();
                self.scenario.orders.lock().unwrap().push((id, customer));
            }
            if answer.status != 503 || self.random.bool() {
                break;
            }
        }
    }

    /// The total at the prices that the client reads now, now and then.
    async fn expected_total(&mut self, items: &Quantities) -> Option<u64> {
        if self.random.u8(..4) > 0 {
            return None;
        }
        let mut total = 0;
        for (id, quantity) in items {
            let read = self.shop.products.get(format!("/products/{id}"));
            let product = self.send(Operation::Read, read).await;
            total += product.body["price"].as_u64()? * u64::from(*quantity);
        }
        Some(total)
    }

    pub(super) async fn change_status(&mut self) {
        use OrderStatus::{Cancelled, Delivered, Paid, Shipped};
        let orders = self.scenario.orders.lock().unwrap().clone();
        let Some((id, owner)) = self.random.choice(orders) else { return };
        let to = [Paid, Paid, Shipped, Delivered, Cancelled, Cancelled][self.random.usize(..6)];
        let by = if to == Cancelled && self.random.bool() { owner } else { self.scenario.admin };
        let path = format!("/orders/{id}");
        let expected_version = self.expected_version(self.shop.orders.get(&path).by(by)).await;
        let request = self.shop.orders.patch(&path).json(json!({ "status": to.as_str() })).by(by);
        let request = with_if_match(request, expected_version);
        self.send(OrderOperation::ChangeStatus { id, to, expected_version }, request).await;
    }
}

impl Snapshot {
    pub(super) fn add_order(&mut self, item: &Item) -> Result<(), String> {
        let order: Order = entity(item)?;
        let index_key = IndexKey::order(order.user_id, order.id);
        expect_keys(item, Key::order(order.user_id, order.id), Some(index_key))?;
        self.orders.insert(order.id, order);
        Ok(())
    }

    pub(super) fn add_order_item(&mut self, item: &Item) -> Result<(), String> {
        let order_item: OrderItem = entity(item)?;
        let key = Key::order_item(order_item.order_id, order_item.product_id);
        expect_keys(item, key, None)?;
        self.order_items.entry(order_item.order_id).or_default().push(order_item);
        Ok(())
    }

    pub(super) fn add_idempotency_key(&mut self, item: &Item) -> Result<(), String> {
        let (pk, key) = (text(item, schema::PK), text(item, schema::SK));
        let user_id = schema::user_of_idempotency_keys(&pk).ok_or("is not in its partition")?;
        let result = text(item, "resultId");
        let malformed = |_| "has no valid id".to_owned();
        if key.starts_with("product-") {
            self.keys_of_products.insert(key, result.parse().map_err(malformed)?);
        } else if key.starts_with("stock-") {
            self.keys_of_stock_changes.insert(key, result.parse().map_err(malformed)?);
        } else {
            let order_id = result.parse().map_err(malformed)?;
            self.idempotency_keys.insert((user_id, key), order_id);
        }
        Ok(())
    }

    /// An order exists with all its items or not at all.
    pub(super) fn check_orders(&self, violations: &mut Vec<String>) {
        for order in self.orders.values() {
            let items = self.order_items.get(&order.id).map_or(&[][..], Vec::as_slice);
            let (id, count) = (order.id, items.len());
            if items.is_empty() || order.item_count != count {
                violations.push(format!("order {id} has {count} of {} items", order.item_count));
            }
            for item in items {
                let (taken, from) = (item.taken, item.taken_from);
                let is_consistent = match taken {
                    Some(0) => from.is_none(),
                    Some(taken) => taken == item.quantity && from < Some(MAX_SPREAD),
                    None => false,
                };
                if !is_consistent {
                    let quantity = item.quantity;
                    violations.push(format!(
                        "order {id} took {taken:?} from {from:?} for {quantity} pieces"
                    ));
                }
            }
            let total: u64 = items.iter().map(|item| item.price * u64::from(item.quantity)).sum();
            if order.total != total {
                violations.push(format!("order {id} has total {}, not {total}", order.total));
            }
            if order.created_at != id.created_at() {
                violations.push(format!("order {id} was not created at the time in its id"));
            }
            if !versions_at(order.status).contains(&order.version) {
                let (version, status) = (order.version, order.status);
                violations.push(format!("order {id} is {status} at version {version}"));
            }
        }
        for order_id in self.order_items.keys() {
            if !self.orders.contains_key(order_id) {
                violations.push(format!("order {order_id} has items, but does not exist"));
            }
        }
    }

    /// Each idempotency key stands for one order, of the key's user.
    pub(super) fn check_idempotency_keys(&self, violations: &mut Vec<String>) {
        let mut keys: BTreeMap<OrderId, &str> = BTreeMap::new();
        for ((user_id, key), order_id) in &self.idempotency_keys {
            if self.orders.get(order_id).is_none_or(|order| order.user_id != *user_id) {
                violations.push(format!(
                    "key {key} of user {user_id} names order {order_id}, which they do not have"
                ));
            }
            if let Some(other) = keys.insert(*order_id, key) {
                violations.push(format!("order {order_id} has two keys, {other} and {key}"));
            }
        }
    }
}

impl Checker<'_> {
    pub(super) fn check_orders(&self, violations: &mut Vec<String>) {
        self.check_acknowledged_orders(violations);
        self.check_unacknowledged_orders(violations);
        self.check_repeated_keys(violations);
        self.check_statuses(violations);
    }

    /// An acknowledged order exists, as it was placed.
    fn check_acknowledged_orders(&self, violations: &mut Vec<String>) {
        for placement in self.placements(Outcome::Acknowledged) {
            let Placement { user_id, items, expected_total, exchange, .. } = placement;
            let Some(id) = exchange.id::<OrderId>() else {
                let body = &exchange.answer.body;
                violations.push(format!("an order was acknowledged without its id: {body}"));
                continue;
            };
            let order = self.after.orders.get(&id);
            let actual = order.map(|order| (order.user_id, self.quantities(order)));
            if actual != Some((user_id, items.clone())) {
                violations.push(format!(
                    "user {user_id} was answered order {id} of {items:?}, but it is {actual:?}"
                ));
            }
            let total = order.map(|order| order.total);
            if expected_total.is_some() && total != expected_total {
                violations.push(format!(
                    "order {id} was placed for {expected_total:?}, but its total is {total:?}"
                ));
            }
        }
    }

    /// Every other order comes from a request whose outcome is unknown. So a rejected request leaves
    /// no order.
    fn check_unacknowledged_orders(&self, violations: &mut Vec<String>) {
        let acknowledged: BTreeSet<OrderId> = self
            .placements(Outcome::Acknowledged)
            .filter_map(|placement| placement.exchange.id())
            .collect();
        let keys: BTreeMap<OrderId, &str> = self
            .after
            .idempotency_keys
            .iter()
            .map(|((_, key), order_id)| (*order_id, key.as_str()))
            .collect();
        let mut unknown: BTreeMap<(UserId, Quantities, Option<&str>), usize> = BTreeMap::new();
        for Placement { user_id, items, key, .. } in self.placements(Outcome::Unknown) {
            *unknown.entry((user_id, items.clone(), key)).or_default() += 1;
        }
        for order in self.after.orders.values().filter(|order| !acknowledged.contains(&order.id)) {
            let key = keys.get(&order.id).copied();
            match unknown.get_mut(&(order.user_id, self.quantities(order), key)) {
                Some(left) if *left > 0 => *left -= 1,
                _ => violations.push(format!(
                    "order {} (key {key:?}) comes from no request whose outcome is unknown",
                    order.id
                )),
            }
        }
    }

    /// A key creates one order, once, and every repetition is answered that order.
    fn check_repeated_keys(&self, violations: &mut Vec<String>) {
        let mut answers: BTreeMap<(UserId, &str), Vec<&Exchange>> = BTreeMap::new();
        for Placement { user_id, key, exchange, .. } in self.placements(Outcome::Acknowledged) {
            if let Some(key) = key {
                answers.entry((user_id, key)).or_default().push(exchange);
            }
        }
        for ((user_id, key), answers) in answers {
            let orders: BTreeSet<OrderId> =
                answers.iter().filter_map(|exchange| exchange.id()).collect();
            let created = answers.iter().filter(|exchange| exchange.answer.status == 201).count();
            if orders.len() != 1 || created > 1 {
                violations.push(format!("key {key} created {created} orders: {orders:?}"));
            }
            let recorded = self.after.idempotency_keys.get(&(user_id, key.to_owned()));
            if recorded != orders.first() {
                violations.push(format!("key {key} stands for {recorded:?}, not for {orders:?}"));
            }
        }
    }

    /// An acknowledged status was reached, and repeating the change made no other version.
    fn check_statuses(&self, violations: &mut Vec<String>) {
        let changes = self.count(|operation| match operation {
            Operation::Order(OrderOperation::ChangeStatus { id, to, .. }) => {
                Some((*id, to.as_str()))
            }
            _ => None,
        });
        let mut versions: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for exchange in self.exchanges {
            if let Operation::Order(OrderOperation::ChangeStatus { id, to, .. }) =
                exchange.operation
                && exchange.outcome() == Outcome::Acknowledged
            {
                let version = exchange.answer.body["version"].as_u64();
                versions.entry((id, to.as_str())).or_default().insert(version);
            }
        }
        for ((id, to), versions) in versions {
            if versions.len() > 1 {
                violations
                    .push(format!("order {id} became {to} in several versions: {versions:?}"));
            }
        }
        for ((id, to), count) in &changes {
            let Some(order) = self.after.orders.get(id) else { continue };
            if count.acknowledged > 0 && !may_have_been(order.status, to) {
                violations.push(format!("order {id} became {to}, but is {}", order.status));
            }
        }
        for order in self.after.orders.values() {
            for status in statuses_reached(order) {
                if !changes.contains_key(&(order.id, status)) {
                    let id = order.id;
                    violations.push(format!("order {id} became {status}, and nobody asked for it"));
                }
            }
        }
    }

    fn placements(&self, outcome: Outcome) -> impl Iterator<Item = Placement<'_>> {
        self.exchanges.iter().filter_map(move |exchange| match &exchange.operation {
            Operation::Order(OrderOperation::Place { user_id, key, items, expected_total })
                if exchange.outcome() == outcome =>
            {
                let (user_id, key, expected_total) = (*user_id, key.as_deref(), *expected_total);
                Some(Placement { user_id, key, items, expected_total, exchange })
            }
            _ => None,
        })
    }

    fn quantities(&self, order: &Order) -> Quantities {
        let items = self.after.order_items.get(&order.id).into_iter().flatten();
        items.map(|item| (item.product_id, item.quantity)).collect()
    }

    /// The items of this product in all orders, and whether their order is live.
    pub(super) fn sales_of(&self, id: ProductId) -> impl Iterator<Item = (&OrderItem, bool)> {
        let items = self.after.order_items.values().flatten();
        items.filter(move |item| item.product_id == id).filter_map(|item| {
            let order = self.after.orders.get(&item.order_id)?;
            Some((item, order.status != OrderStatus::Cancelled))
        })
    }

    /// The pieces of this product in all orders that may have been placed.
    pub(super) fn most_sold(&self, id: ProductId) -> u64 {
        let placements =
            [Outcome::Acknowledged, Outcome::Unknown].map(|outcome| self.placements(outcome));
        let quantities = placements.into_iter().flatten().filter_map(|order| order.items.get(&id));
        quantities.map(|quantity| u64::from(*quantity)).sum()
    }
}

impl OrderOperation {
    pub(super) fn write(&self) -> Option<Write> {
        match *self {
            Self::Place { .. } => None,
            Self::ChangeStatus { id, expected_version, .. } => {
                Some(Write { entity: EntityId::Order(id), is_deletion: false, expected_version })
            }
        }
    }
}

/// The versions that an order with this status may have.
fn versions_at(status: OrderStatus) -> RangeInclusive<u64> {
    match status {
        OrderStatus::Pending => 1..=1,
        OrderStatus::Paid => 2..=2,
        OrderStatus::Shipped => 3..=3,
        OrderStatus::Delivered => 4..=4,
        OrderStatus::Returned => 4..=5,
        // Cancelled while it was pending or paid.
        OrderStatus::Cancelled => 2..=3,
    }
}

/// Whether an order with this status has, or may have had, the other one.
fn may_have_been(now: OrderStatus, earlier: &str) -> bool {
    match now {
        OrderStatus::Cancelled => ["paid", "cancelled"].contains(&earlier),
        now => statuses_up_to(now).contains(&earlier),
    }
}

/// The statuses that changes gave an order, the current one included.
fn statuses_reached(order: &Order) -> Vec<&'static str> {
    match order.status {
        OrderStatus::Cancelled if order.version == 3 => vec!["paid", "cancelled"],
        OrderStatus::Cancelled => vec!["cancelled"],
        status => statuses_up_to(status).to_vec(),
    }
}

fn statuses_up_to(last: OrderStatus) -> &'static [&'static str] {
    let all = ["paid", "shipped", "delivered"].as_slice();
    let length = all.iter().position(|status| *status == last.as_str()).map_or(0, |at| at + 1);
    &all[..length]
}

impl From<OrderOperation> for Operation {
    fn from(operation: OrderOperation) -> Self {
        Self::Order(operation)
    }
}
