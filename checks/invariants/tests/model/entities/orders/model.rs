//! What the model makes of each operation on orders, and the items that orders have in the table.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use storefront_core::{OrderId, OrderStatus, ProductId, Timestamp, UserId};

use super::{ExpectedTotal, OrderRef};
use crate::engine::operation::Call;
use crate::engine::response::{
    Response, forbidden, invalid_body, unauthenticated, version_mismatch,
};
use crate::engine::script::is_stale;
use crate::engine::table::{ANY_VALUE, TableItems, expected_item};
use crate::entities::Model;
use crate::entities::idempotency_keys::{KeyedRequest, key_reused};
use crate::entities::products::ProductRef;

/// An order as the model has it.
#[derive(Clone)]
pub(crate) struct Order {
    pub(super) user: UserId,
    status: OrderStatus,
    currency: &'static str,
    items: BTreeMap<ProductId, OrderItem>,
    version: u64,
}

#[derive(Clone)]
struct OrderItem {
    name: String,
    quantity: u64,
    price: u64,
    /// How many pieces were taken from the stock: 0 if it was not counted.
    taken: u64,
    /// The number of stock items that the product had, one of which they were taken from.
    spread: u8,
}

/// An order, and what a client asked for with its key.
#[derive(Clone)]
pub(crate) struct PlacedOrder {
    placement: Placement,
    pub(crate) id: OrderId,
}

/// The products of which there are too few, as a problem names them.
#[derive(Default)]
struct Shortages {
    all: Vec<Value>,
    /// Those that are not spread.
    of_first_items: Vec<Value>,
}

/// What a client asks for.
#[derive(Clone, PartialEq)]
pub(super) struct Placement {
    pub(super) requested: BTreeMap<ProductId, u64>,
    pub(super) expected_total: Option<u64>,
}

/// The attribute of an order item that names a stock item.
const TAKEN_FROM: &str = "takenFrom";

/// The largest quantity of one product in an order.
const MAX_QUANTITY: u64 = 999;

impl Model {
    pub(super) fn order_version(&self, id: OrderId) -> Option<u64> {
        self.orders.get(id).map(|order| order.version)
    }

    /// When the order was placed, if it was.
    pub(super) fn ordered_at(&self, order: OrderRef) -> Option<Timestamp> {
        let id = self.orders.nth(order);
        self.orders.get(id).map(|_| id.created_at())
    }

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

    pub(super) fn place_order(
        &mut self,
        user: Option<UserId>,
        placement: Placement,
        key: Option<u8>,
        call: &Call<'_>,
    ) -> Response {
        let requested = &placement.requested;
        if requested.values().any(|quantity| *quantity > MAX_QUANTITY) {
            return invalid_body();
        }
        let Some(user) = user else { return unauthenticated() };
        if let Some(first) = key.and_then(|key| self.idempotency_keys.get(&(user, key))) {
            return match first {
                KeyedRequest::PlaceOrder(first) if first.placement == placement => {
                    Response { is_replayed: true, ..self.order_response(200, first.id) }
                        .with_location(format!("/orders/{}", first.id))
                }
                _ => key_reused(),
            };
        }
        if let Some(rejection) = self.rejection(&placement, call) {
            return rejection;
        }

        let id = self.orders.new_id(call.actual);
        let mut order = Order {
            user,
            status: OrderStatus::Pending,
            currency: "",
            items: BTreeMap::new(),
            version: 1,
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
        self.orders.create(id, order);
        if let Some(key) = key {
            let request = KeyedRequest::PlaceOrder(PlacedOrder { placement, id });
            self.idempotency_keys.insert((user, key), request);
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

    /// Newest first, since `from` and before `to`.
    pub(super) fn list_orders(
        &self,
        user: UserId,
        limit: usize,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        only_first: bool,
    ) -> Response {
        let is_within = |id: OrderId| {
            from.is_none_or(|from| id.created_at() >= from)
                && to.is_none_or(|to| id.created_at() < to)
        };
        let newest_first = self.orders.iter().rev();
        let listed = newest_first.filter(|(id, order)| order.user == user && is_within(*id));
        let items: Vec<_> = listed.map(|(id, order)| order.body(id)).collect();
        Response::pages(&items, limit, only_first)
    }

    /// A customer sees only their own.
    pub(super) fn show_order(&self, id: OrderId, restricted_to: Option<UserId>) -> Response {
        if self.is_visible(id, restricted_to) {
            self.order_response(200, id)
        } else {
            order_not_found()
        }
    }

    pub(super) fn change_status(
        &mut self,
        id: OrderId,
        to: OrderStatus,
        expected: Option<u64>,
        restricted_to: Option<UserId>,
    ) -> Response {
        if !self.is_visible(id, restricted_to) {
            return order_not_found();
        }
        if restricted_to.is_some() && to != OrderStatus::Cancelled {
            return forbidden();
        }
        let order = self.orders.get_mut(id).expect("visible");
        if is_stale(expected, order.version) {
            return version_mismatch();
        }
        if order.status == to {
            return self.order_response(200, id);
        }
        let is_allowed = match order.status {
            OrderStatus::Pending => [OrderStatus::Paid, OrderStatus::Cancelled].contains(&to),
            OrderStatus::Paid => [OrderStatus::Shipped, OrderStatus::Cancelled].contains(&to),
            OrderStatus::Shipped => [OrderStatus::Delivered, OrderStatus::Returned].contains(&to),
            OrderStatus::Delivered => to == OrderStatus::Returned,
            OrderStatus::Returned | OrderStatus::Cancelled => false,
        };
        if !is_allowed {
            return Response::problem(409, "invalid_status_change");
        }
        order.status = to;
        order.version += 1;
        if to == OrderStatus::Cancelled {
            for (id, item) in &order.items {
                let Some(product) = self.products.get_mut(*id) else { continue };
                if let Some(stock) = &mut product.stock {
                    *stock += item.taken;
                }
            }
        }
        self.order_response(200, id)
    }

    fn is_visible(&self, id: OrderId, restricted_to: Option<UserId>) -> bool {
        self.orders.get(id).is_some_and(|order| restricted_to.is_none_or(|user| user == order.user))
    }

    fn order_response(&self, status: i64, id: OrderId) -> Response {
        let order = self.orders.get(id).expect("an order of the model");
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
        Response::entity(status, body, order.version)
    }

    pub(in crate::entities) fn add_order_items(&self, items: &mut TableItems) {
        for (id, order) in self.orders.iter() {
            items.extend([order.item(id)]);
            items.extend(order.items.iter().map(|(product, item)| {
                let (key, mut attributes) = expected_item(
                    "OrderItem",
                    &format!("ORDER#{id}"),
                    &format!("ITEM#{product}"),
                    &[
                        ("orderId", &id.to_string()),
                        ("productId", &product.to_string()),
                        ("name", &item.name),
                        ("quantity", &item.quantity.to_string()),
                        ("price", &item.price.to_string()),
                        ("taken", &item.taken.to_string()),
                    ],
                );
                if item.taken > 0 {
                    attributes.insert(TAKEN_FROM.to_owned(), ANY_VALUE.to_owned());
                }
                (key, attributes)
            }));
        }
    }

    /// Accepts whichever of a product's stock items the shop has picked.
    pub(in crate::entities) fn accept_picked_stock_items(&self, table: &mut TableItems) {
        for (id, order) in self.orders.iter() {
            for (product, item) in &order.items {
                let key = (format!("ORDER#{id}"), format!("ITEM#{product}"));
                let Some(picked) = table.get_mut(&key).and_then(|item| item.get_mut(TAKEN_FROM))
                else {
                    continue;
                };
                if picked.parse::<u8>().is_ok_and(|number| number < item.spread) {
                    ANY_VALUE.clone_into(picked);
                }
            }
        }
    }
}

impl Order {
    fn total(&self) -> u64 {
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

    fn item(&self, id: OrderId) -> ((String, String), BTreeMap<String, String>) {
        let placed_at = id.created_at();
        expected_item(
            "Order",
            &format!("USER#{}", self.user),
            &format!("ORDER#{placed_at}#{id}"),
            &[
                ("GSI1PK", &format!("ORDER#{id}")),
                ("GSI1SK", &format!("USER#{}", self.user)),
                ("id", &id.to_string()),
                ("userId", &self.user.to_string()),
                ("status", self.status.as_str()),
                ("itemCount", &self.items.len().to_string()),
                ("total", &self.total().to_string()),
                ("currency", self.currency),
                ("version", &self.version.to_string()),
                ("createdAt", &placed_at.to_string()),
                ("updatedAt", ANY_VALUE),
                ("requestId", ANY_VALUE),
            ],
        )
    }
}

fn order_not_found() -> Response {
    Response::problem(404, "order_not_found")
}
