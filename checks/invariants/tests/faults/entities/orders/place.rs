//! Placing orders.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use storefront_core::{Order, OrderId, OrderItem, OrderStatus, ProductId, UserId};

use super::{OrderOperation, Quantities};
use crate::engine::checker::Checker;
use crate::engine::client::Client;
use crate::engine::history::{Exchange, Moment, Outcome};
use crate::entities::{Operation, Snapshot};

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
    pub(in crate::entities) async fn place_order(&mut self) {
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
}

impl Snapshot {
    /// Each idempotency key stands for one order, of the key's user.
    pub(in crate::entities) fn check_idempotency_keys(&self, violations: &mut Vec<String>) {
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
    pub(super) fn check_placements(&self, violations: &mut Vec<String>) {
        self.check_acknowledged_orders(violations);
        self.check_unacknowledged_orders(violations);
        self.check_repeated_keys(violations);
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

    /// The orders that their customers knew of at this moment.
    pub(super) fn placed_before(&self, moment: Moment) -> impl Iterator<Item = OrderId> {
        let earlier = self.intervals().filter(move |(interval, _)| interval.to < moment);
        earlier.filter_map(|(_, exchange)| match exchange.operation {
            Operation::Order(OrderOperation::Place { .. }) => exchange.id(),
            _ => None,
        })
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
    pub(in crate::entities) fn sales_of(
        &self,
        id: ProductId,
    ) -> impl Iterator<Item = (&OrderItem, bool)> {
        let items = self.after.order_items.values().flatten();
        items.filter(move |item| item.product_id == id).filter_map(|item| {
            let order = self.after.orders.get(&item.order_id)?;
            Some((item, order.status != OrderStatus::Cancelled))
        })
    }

    /// The pieces of this product in all orders that may have been placed.
    pub(in crate::entities) fn most_sold(&self, id: ProductId) -> u64 {
        let placements =
            [Outcome::Acknowledged, Outcome::Unknown].map(|outcome| self.placements(outcome));
        let quantities = placements.into_iter().flatten().filter_map(|order| order.items.get(&id));
        quantities.map(|quantity| u64::from(*quantity)).sum()
    }
}
