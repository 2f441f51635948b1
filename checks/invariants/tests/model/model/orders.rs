use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use storefront_core::{OrderId, OrderStatus, ProductId, Timestamp, UserId};

use super::{Item, Model, Order, Seen, forbidden, invalid_body, mismatch, misses, unauthenticated};

/// The most pieces of one product in an order.
const MAX_QUANTITY: u64 = 999;

impl Model {
    /// For this user, if they are one.
    pub(super) fn place_order(
        &mut self,
        user: Option<UserId>,
        items: &[(ProductId, u32)],
        key: Option<u8>,
        came: &Seen,
    ) -> Seen {
        let mut wanted: BTreeMap<ProductId, u64> = BTreeMap::new();
        for (product, quantity) in items {
            *wanted.entry(*product).or_default() += u64::from(*quantity);
        }
        if wanted.values().any(|quantity| *quantity > MAX_QUANTITY) {
            return invalid_body();
        }
        let Some(user) = user else { return unauthenticated() };
        let first = key.and_then(|key| self.keys.get(&(user, key)));
        if let Some((first_wanted, id)) = first {
            if *first_wanted != wanted {
                return Seen::problem(422, "idempotency_key_reused");
            }
            return Seen { replayed: true, ..self.order_answer(200, *id) }
                .at(format!("/orders/{id}"));
        }
        if let Some(refusal) = self.refusal(&wanted) {
            return refusal;
        }

        let id = came.new_id(&self.known.orders);
        if let Some(key) = key {
            self.keys.insert((user, key), (wanted.clone(), id));
        }
        let mut order = Order {
            user,
            status: OrderStatus::Pending,
            currency: "",
            items: BTreeMap::new(),
            version: 1,
        };
        for (product_id, quantity) in wanted {
            let product = self.products.get_mut(&product_id).expect("known, as was just checked");
            order.currency = product.currency;
            let item = Item { name: product.name.clone(), quantity, price: product.price };
            order.items.insert(product_id, item);
            if let Some(stock) = &mut product.stock {
                *stock -= quantity;
                product.version += 1;
            }
        }
        self.orders.insert(id, order);
        self.known.orders.push(id);
        self.order_answer(201, id).at(format!("/orders/{id}"))
    }

    /// Why these cannot be ordered together, if they cannot.
    fn refusal(&self, wanted: &BTreeMap<ProductId, u64>) -> Option<Seen> {
        let mut unknown = Vec::new();
        let mut currencies = BTreeSet::new();
        let mut shortages = Vec::new();
        for (id, requested) in wanted {
            let Some(product) = self.products.get(id) else {
                unknown.push(json!({ "productId": id }));
                continue;
            };
            currencies.insert(product.currency);
            if let Some(available) = product.stock.filter(|stock| stock < requested) {
                shortages.push(json!({
                    "productId": id, "requested": requested, "available": available,
                }));
            }
        }
        if !unknown.is_empty() {
            Some(Seen::problem_of(422, "unknown_products", &unknown))
        } else if currencies.len() > 1 {
            Some(Seen::problem(422, "mixed_currencies"))
        } else if !shortages.is_empty() {
            Some(Seen::problem_of(409, "out_of_stock", &shortages))
        } else {
            None
        }
    }

    /// Newest first, from the first moment on and before the second.
    pub(super) fn list_orders(
        &self,
        user: UserId,
        limit: usize,
        (from, to): (Option<Timestamp>, Option<Timestamp>),
        only_first: bool,
    ) -> Seen {
        let is_within = |id: &OrderId| {
            from.is_none_or(|from| id.created_at() >= from)
                && to.is_none_or(|to| id.created_at() < to)
        };
        let items: Vec<_> = self
            .orders
            .iter()
            .rev()
            .filter(|(id, order)| order.user == user && is_within(id))
            .map(|(id, order)| order.body(*id))
            .collect();
        Seen::pages(&items, limit, only_first)
    }

    /// Of this user only, if of one.
    pub(super) fn show_order(&self, id: OrderId, of: Option<UserId>) -> Seen {
        if self.is_visible(id, of) { self.order_answer(200, id) } else { no_order() }
    }

    pub(super) fn change_order(
        &mut self,
        id: OrderId,
        to: OrderStatus,
        expected: Option<u64>,
        of: Option<UserId>,
    ) -> Seen {
        if !self.is_visible(id, of) {
            return no_order();
        }
        if of.is_some() && to != OrderStatus::Cancelled {
            return forbidden();
        }
        let order = self.orders.get_mut(&id).expect("visible");
        if misses(expected, order.version) {
            return mismatch();
        }
        let is_allowed = match order.status {
            OrderStatus::Pending => [OrderStatus::Paid, OrderStatus::Cancelled].contains(&to),
            OrderStatus::Paid => [OrderStatus::Shipped, OrderStatus::Cancelled].contains(&to),
            OrderStatus::Shipped => to == OrderStatus::Delivered,
            OrderStatus::Delivered | OrderStatus::Cancelled => false,
        };
        if !is_allowed {
            return Seen::problem(409, "invalid_status_change");
        }
        order.status = to;
        order.version += 1;
        if to == OrderStatus::Cancelled {
            for (id, item) in &order.items {
                let Some(product) = self.products.get_mut(id) else { continue };
                if let Some(stock) = &mut product.stock {
                    *stock += item.quantity;
                    product.version += 1;
                }
            }
        }
        self.order_answer(200, id)
    }

    fn is_visible(&self, id: OrderId, of: Option<UserId>) -> bool {
        self.orders.get(&id).is_some_and(|order| of.is_none_or(|user| user == order.user))
    }

    fn order_answer(&self, status: i64, id: OrderId) -> Seen {
        let order = &self.orders[&id];
        let mut body = order.body(id);
        body["items"] = order
            .items
            .iter()
            .map(|(product, item)| {
                json!({
                    "productId": product,
                    "name": item.name,
                    "quantity": item.quantity,
                    "price": item.price,
                })
            })
            .collect();
        Seen::new(status, body, order.version)
    }
}

impl Order {
    pub(super) fn total(&self) -> u64 {
        self.items.values().map(|item| item.quantity * item.price).sum()
    }

    /// Without its items.
    fn body(&self, id: OrderId) -> Value {
        json!({
            "id": id,
            "userId": self.user,
            "status": self.status,
            "total": self.total(),
            "currency": self.currency,
            "version": self.version,
            "createdAt": id.created_at(),
        })
    }
}

fn no_order() -> Seen {
    Seen::problem(404, "order_not_found")
}
