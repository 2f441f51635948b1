//! What the model makes of each operation on products.

use serde_json::{Value, json};
use storefront_core::{MAX_STOCK, ProductId, UserId};

use super::ProductFields;
use crate::engine::operation::Call;
use crate::engine::response::{Response, invalid_body, version_mismatch};
use crate::engine::script::is_stale;
use crate::entities::Model;
use crate::entities::idempotency_keys::{KeyedRequest, key_reused};
use crate::entities::values::{name, stored_category};

/// A product as the model has it.
#[derive(Clone, PartialEq)]
pub(crate) struct Product {
    pub(crate) name: String,
    pub(crate) category: &'static str,
    pub(crate) price: u64,
    pub(crate) currency: &'static str,
    pub(crate) selling: bool,
    /// In all stock items together; `None` is a stock that is not counted.
    pub(crate) stock: Option<u64>,
    /// The number of its stock items.
    pub(crate) spread: u8,
    /// Whether there was stock when it was added. Lists go by this, because nothing here reads the
    /// table's stream.
    pub(super) had_stock: bool,
    pub(crate) version: u64,
}

impl Model {
    pub(super) fn product_version(&self, id: ProductId) -> Option<u64> {
        self.products.get(id).map(|product| product.version)
    }

    pub(super) fn product_stock(&self, id: ProductId) -> Option<u64> {
        self.products.get(id)?.stock
    }

    pub(super) fn create_product(
        &mut self,
        fields: ProductFields,
        key: Option<(UserId, u8)>,
        call: &Call<'_>,
    ) -> Response {
        let product = Product::new(fields);
        if let Some(first) = key.and_then(|key| self.idempotency_keys.get(&key)) {
            return match first {
                KeyedRequest::AddProduct { product: first, id } if *first == product => {
                    let replayed = self.replayed_product(*id, call);
                    match replayed.status {
                        200 => replayed.with_location(format!("/products/{id}")),
                        _ => replayed,
                    }
                }
                _ => key_reused(),
            };
        }
        let id = self.products.new_id(call.actual);
        if let Some(key) = key {
            let request = KeyedRequest::AddProduct { product: product.clone(), id };
            self.idempotency_keys.insert(key, request);
        }
        let response = product.response(201, id).with_location(format!("/products/{id}"));
        self.products.create(id, product);
        response
    }

    fn replayed_product(&self, id: ProductId, call: &Call<'_>) -> Response {
        let shown = self.show_product(id, call);
        Response { is_replayed: shown.status == 200, ..shown }
    }

    /// The shop does not read all stock items of a spread product at one moment. So the stock that
    /// it shows while others change the product may be one that the product never had.
    pub(super) fn show_product(&self, id: ProductId, call: &Call<'_>) -> Response {
        let Some(product) = self.products.get(id) else { return product_not_found() };
        let seen = call.actual.body["stock"].as_u64();
        let stock = if call.is_concurrent() && product.spread > 1 && product.stock.is_some() {
            seen.or(product.stock)
        } else {
            product.stock
        };
        Product { stock, ..product.clone() }.response(200, id)
    }

    pub(super) fn change_product(
        &mut self,
        id: ProductId,
        fields: ProductFields,
        expected: Option<u64>,
        call: &Call<'_>,
    ) -> Response {
        if fields.is_empty() {
            return invalid_body();
        }
        let Some(product) = self.products.get_mut(id) else { return product_not_found() };
        if is_stale(expected, product.version) {
            return version_mismatch();
        }
        product.change(fields);
        self.show_product(id, call)
    }

    pub(super) fn delete_product(&mut self, id: ProductId, expected: Option<u64>) -> Response {
        let Some(product) = self.products.get(id) else { return product_not_found() };
        if is_stale(expected, product.version) {
            return version_mismatch();
        }
        self.products.remove(id);
        Response::without_version(204, Value::Null)
    }

    pub(super) fn change_stock(
        &mut self,
        id: ProductId,
        change: i64,
        key: Option<(UserId, u8)>,
        call: &Call<'_>,
    ) -> Response {
        if change == 0 || change.unsigned_abs() > MAX_STOCK {
            return invalid_body();
        }
        if let Some(first) = key.and_then(|key| self.idempotency_keys.get(&key)) {
            return match *first {
                KeyedRequest::ChangeStock { id: first, change: first_change }
                    if (first, first_change) == (id, change) =>
                {
                    self.replayed_product(id, call)
                }
                _ => key_reused(),
            };
        }
        let Some(product) = self.products.get_mut(id) else { return product_not_found() };
        let Some(stock) = &mut product.stock else {
            return Response::problem(409, "stock_not_counted");
        };
        match stock.checked_add_signed(change) {
            None => {
                let (requested, available) = (change.unsigned_abs(), *stock);
                let shortage =
                    json!({ "productId": id, "requested": requested, "available": available });
                return Response::problem_with_products(409, "out_of_stock", &[shortage]);
            }
            Some(changed) if change > 0 && changed > MAX_STOCK => return invalid_body(),
            Some(changed) => *stock = changed,
        }
        if let Some(key) = key {
            self.idempotency_keys.insert(key, KeyedRequest::ChangeStock { id, change });
        }
        self.show_product(id, call)
    }

    pub(super) fn spread_stock(&mut self, id: ProductId, items: u8) -> Response {
        if !(1..=64).contains(&items) {
            return invalid_body();
        }
        let Some(product) = self.products.get_mut(id) else { return product_not_found() };
        product.spread = items;
        Response::without_version(200, json!({ "items": items }))
    }

    /// Oldest first.
    pub(super) fn list_products(&self, category: u8, limit: usize, only_first: bool) -> Response {
        let category = stored_category(category);
        let of_category = self.products.iter().filter(|(_, product)| product.category == category);
        let items: Vec<_> = of_category.map(|(id, product)| product.listed(id)).collect();
        Response::pages(&items, limit, only_first)
    }
}

impl Product {
    fn new(fields: ProductFields) -> Self {
        let mut product = Self {
            name: String::new(),
            category: "",
            price: 0,
            currency: "",
            selling: true,
            stock: None,
            spread: 1,
            had_stock: false,
            version: 0,
        };
        product.change(fields.completed());
        product.had_stock = product.stock != Some(0);
        product
    }

    fn change(&mut self, fields: ProductFields) {
        if let Some(number) = fields.name {
            self.name = name(number);
        }
        if let Some(number) = fields.category {
            self.category = stored_category(number);
        }
        self.price = fields.price.unwrap_or(self.price);
        self.currency = fields.currency.unwrap_or(self.currency);
        self.stock = fields.stock.unwrap_or(self.stock);
        self.selling = fields.selling.unwrap_or(self.selling);
        self.version += 1;
    }

    fn response(&self, status: i64, id: ProductId) -> Response {
        let mut body = self.listed(id);
        body["available"] = json!(self.selling && self.stock != Some(0));
        body["stock"] = json!(self.stock);
        Response::entity(status, body, self.version).with_state(self.stock)
    }

    /// As a list shows it.
    fn listed(&self, id: ProductId) -> Value {
        json!({
            "id": id,
            "name": self.name,
            "description": null,
            "category": self.category,
            "price": self.price,
            "currency": self.currency,
            "selling": self.selling,
            "available": self.selling && self.had_stock,
            "version": self.version,
            "createdAt": id.created_at(),
        })
    }
}

fn product_not_found() -> Response {
    Response::problem(404, "product_not_found")
}
