//! Placing an order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use storefront_core::{OrderStatus, Payment, ProductId, Timestamp, UserId};

use super::ExpectedTotal;
use super::order::{Order, OrderItem};
use crate::engine::operation::Call;
use crate::engine::response::{Response, invalid_body, unauthenticated};
use crate::entities::Model;
use crate::entities::idempotency_keys::{KeyedRequest, key_reused};
use crate::entities::products::ProductRef;

/// What a client asks for.
#[derive(Clone, PartialEq)]
pub(crate) struct Placement {
    pub(super) requested: BTreeMap<ProductId, u64>,
    pub(super) expected_total: Option<u64>,
    pub(super) address: Option<u8>,
}

/// Whether the user's open orders count.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Cap {
    Counts,
    /// They were counted before others were placed.
    CountedEarlier,
}

/// The products of which there are too few, as a problem names them.
#[derive(Default)]
struct Shortages {
    all: Vec<Value>,
    /// Those that are not spread.
    of_first_items: Vec<Value>,
}

/// The largest quantity of one product in an order.
const MAX_QUANTITY: u64 = 999;

impl Model {
    /// The total that a client has seen, if it says so and has seen all of the products.
    pub(super) fn seen_total(
        &self,
        items: &[(ProductRef, u32)],
        expects: ExpectedTotal,
    ) -> Option<u64> {
        let prices = items.iter().map(|&(product, quantity)| {
            let product = self.products.get(self.products.nth(product))?;
            Some(product.price * u64::from(quantity))
        });
        let total: u64 = prices.sum::<Option<u64>>()?;
        match expects {
            ExpectedTotal::NotSaid => None,
            ExpectedTotal::Current => Some(total),
            ExpectedTotal::Stale => Some(total + 1),
        }
    }

    /// Whether a user has as many pending orders as they may have, among the newest twice as many; or has
    /// paid for none of these.
    pub(super) fn has_too_many_open_orders(&self, user: UserId) -> bool {
        let Some(max) = self.rules.max_open.map(|max| max as usize) else { return false };
        let newest = self.orders.iter().rev().filter(|(_, order)| order.user == user).take(2 * max);
        let newest: Vec<_> = newest.map(|(_, order)| order).collect();
        let pending = newest.iter().filter(|order| order.status == OrderStatus::Pending).count();
        let is_unpaid = |order: &&Order| order.payment == Payment::Unpaid || order.total() == 0;
        let expires = self.rules.pending_minutes.is_some();
        pending >= max || expires && newest.len() == 2 * max && newest.iter().all(is_unpaid)
    }

    pub(super) fn place_order(
        &mut self,
        user: Option<UserId>,
        placement: Placement,
        key: Option<u8>,
        cap: Cap,
        call: &Call<'_>,
    ) -> Response {
        let requested = &placement.requested;
        if requested.values().any(|quantity| *quantity > MAX_QUANTITY) {
            return invalid_body();
        }
        let Some(user) = user else { return unauthenticated() };
        if let Some(first) = key.and_then(|key| self.idempotency_keys.get(&(user, key))) {
            return match first {
                KeyedRequest::PlaceOrder { placement: first, id } if *first == placement => {
                    Response { is_replayed: true, ..self.order_response(200, *id) }
                        .with_location(format!("/orders/{id}"))
                }
                _ => key_reused(),
            };
        }
        if cap == Cap::Counts && self.has_too_many_open_orders(user) {
            return too_many_open_orders();
        }
        if let Some(rejection) = self.rejection(&placement, call) {
            return rejection;
        }

        let id = self.orders.new_id(call.actual);
        let mut order = Order {
            user,
            status: OrderStatus::Pending,
            payment: Payment::Unpaid,
            refunded: 0,
            cancel_reason: None,
            pay_by: None,
            currency: "",
            items: BTreeMap::new(),
            address: placement.address,
            tracking: None,
            version: 1,
            was_requested: true,
        };
        for (product_id, quantity) in requested {
            let product = self.products.get_mut(*product_id).expect("just checked");
            order.currency = product.currency;
            let item = OrderItem {
                name: product.name.clone(),
                quantity: *quantity,
                price: product.price,
                taken: if product.stock.is_some() { *quantity } else { 0 },
                spread: product.spread,
            };
            if let Some(stock) = &mut product.stock {
                *stock -= item.taken;
            }
            order.items.insert(*product_id, item);
        }
        if order.total() == 0 {
            order.status = OrderStatus::Paid;
            order.payment = Payment::Paid;
        } else if let Some(minutes) = self.rules.pending_minutes {
            let placed_at = id.created_at().as_millis();
            order.pay_by = Timestamp::from_millis(placed_at + 60_000 * i64::from(minutes));
        }
        self.orders.create(id, order);
        if let Some(key) = key {
            self.idempotency_keys.insert((user, key), KeyedRequest::PlaceOrder { placement, id });
        }
        self.order_response(201, id).with_location(format!("/orders/{id}"))
    }

    /// Why these products cannot be ordered together, if they cannot.
    ///
    /// The stock of a spread product is the last thing that the shop looks at, when it has failed to
    /// take from it. So an order that something else is wrong with does not name its shortage; or it
    /// does, if that went wrong only meanwhile.
    fn rejection(&self, placement: &Placement, call: &Call<'_>) -> Option<Response> {
        let mut unknown = Vec::new();
        let mut not_for_sale = Vec::new();
        let mut currencies = BTreeSet::new();
        let mut shortages = Shortages::default();
        let mut total = 0;
        let mut prices = Vec::new();
        for (id, requested) in &placement.requested {
            let Some(product) = self.products.get(*id) else {
                unknown.push(json!({ "productId": id }));
                continue;
            };
            if !product.selling {
                not_for_sale.push(json!({ "productId": id }));
            }
            currencies.insert(product.currency);
            total += product.price * requested;
            prices.push(json!({
                "productId": id, "requested": requested, "price": product.price,
            }));
            if let Some(available) = product.stock.filter(|stock| stock < requested) {
                let shortage = json!({
                    "productId": id, "requested": requested, "available": available,
                });
                shortages.all.push(shortage.clone());
                if product.spread == 1 {
                    shortages.of_first_items.push(shortage);
                }
            }
        }
        let out_of_stock = |short: &[Value]| {
            (!short.is_empty()).then(|| Response::problem_with_products(409, "out_of_stock", short))
        };
        let all_short = out_of_stock(&shortages.all);
        if !unknown.is_empty() {
            Some(Response::problem_with_products(422, "unknown_products", &unknown))
        } else if !not_for_sale.is_empty() {
            Some(Response::problem_with_products(409, "not_for_sale", &not_for_sale))
        } else if currencies.len() > 1 {
            Some(Response::problem(422, "mixed_currencies"))
        } else if call.is_concurrent() && all_short.as_ref() == Some(call.actual) {
            all_short
        } else if let Some(short) = out_of_stock(&shortages.of_first_items) {
            Some(short)
        } else if placement.expected_total.is_some_and(|expected| expected != total) {
            Some(Response::problem_with_products(409, "total_changed", &prices))
        } else {
            all_short
        }
    }
}

pub(super) fn too_many_open_orders() -> Response {
    Response::problem(409, "too_many_open_orders")
}
