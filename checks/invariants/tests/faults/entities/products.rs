use std::collections::BTreeSet;

use serde_json::json;
use storefront_core::schema::{IndexKey, Item, Key};
use storefront_core::{Product, ProductId};
use storefront_invariants::Shop;

use super::{EntityId, Operation, Snapshot, Write};
use crate::engine::checker::Checker;
use crate::engine::client::{Client, with_if_match};
use crate::engine::history::Outcome;
use crate::engine::schedule::Scenario;
use crate::engine::snapshot::{check_version_is_positive, entity, expect_keys};

#[derive(Clone, Debug)]
pub(crate) enum ProductOperation {
    Create { stock: Option<u64> },
    Change { id: ProductId, sets_stock: bool, expected_version: Option<u64> },
    Delete { id: ProductId, expected_version: Option<u64> },
}

impl Client {
    pub(super) async fn create_product(&mut self) {
        let stock = self.random.bool().then(|| self.random.u64(1..20));
        let body = json!({
            "name": "Bönchen ☕", "category": "coffee", "price": 250, "currency": "EUR",
            "stock": stock,
        });
        let request = self.shop.products.post("/products").json(body).by(self.scenario.admin);
        let answer = self.send(ProductOperation::Create { stock }, request).await;
        if answer.status == 201 {
            let id = answer.body["id"].as_str().unwrap().parse().unwrap();
            self.scenario.products.lock().unwrap().push(id);
        }
    }

    pub(super) async fn change_product(&mut self) {
        let id = self.product();
        let sets_stock = self.scenario.stock_is_set.contains(&id) && self.random.bool();
        let body = if sets_stock {
            json!({ "stock": self.random.u64(50..200) })
        } else {
            json!({ "price": self.random.u64(1..1_000), "name": "Crème à café, één kilo" })
        };
        let expected_version = self.expected_product_version(id).await;
        let request = self.shop.products.patch(format!("/products/{id}")).json(body);
        let request = with_if_match(request.by(self.scenario.admin), expected_version);
        self.send(ProductOperation::Change { id, sets_stock, expected_version }, request).await;
    }

    pub(super) async fn delete_product(&mut self) {
        let id = self.product();
        let expected_version = self.expected_product_version(id).await;
        let request = self.shop.products.delete(format!("/products/{id}")).by(self.scenario.admin);
        let request = with_if_match(request, expected_version);
        self.send(ProductOperation::Delete { id, expected_version }, request).await;
    }

    async fn expected_product_version(&mut self, id: ProductId) -> Option<u64> {
        self.expected_version(self.shop.products.get(format!("/products/{id}"))).await
    }
}

impl Scenario {
    /// Adds a product before the clients start.
    pub(crate) async fn add_product(&self, shop: &Shop, stock: Option<u64>) -> ProductId {
        let body = json!({
            "name": "Blend №1", "category": "coffee", "price": 100, "currency": "EUR",
            "stock": stock,
        });
        let sent_at = self.history.now();
        let answer = shop.products.post("/products").json(body).by(self.admin).send().await;
        let answer = answer.expect(201);
        self.history.record(ProductOperation::Create { stock }.into(), sent_at, &answer);
        let id = answer.body["id"].as_str().unwrap().parse().unwrap();
        self.products.lock().unwrap().push(id);
        id
    }
}

impl Snapshot {
    pub(super) fn add_product(&mut self, item: &Item) -> Result<(), String> {
        let product: Product = entity(item)?;
        let index_key = IndexKey::product(product.id, &product.category);
        expect_keys(item, Key::product(product.id), Some(index_key))?;
        self.products.insert(product.id, product);
        Ok(())
    }

    pub(super) fn check_products(&self, violations: &mut Vec<String>) {
        for product in self.products.values() {
            check_version_is_positive(EntityId::Product(product.id), product.version, violations);
        }
    }
}

impl Checker<'_> {
    /// The stock is what it was, less what was sold; and each sale, cancellation and change counts
    /// the version up by one.
    pub(super) fn check_products(&self, violations: &mut Vec<String>) {
        let stock_was_set: BTreeSet<ProductId> = self
            .exchanges
            .iter()
            .filter_map(|exchange| match exchange.operation {
                Operation::Product(ProductOperation::Change { id, sets_stock: true, .. }) => {
                    Some(id)
                }
                _ => None,
            })
            .collect();
        for exchange in self.exchanges {
            let Operation::Product(ProductOperation::Create { stock }) = exchange.operation else {
                continue;
            };
            let (Outcome::Acknowledged, Some(id)) = (exchange.outcome(), exchange.id()) else {
                continue;
            };
            let (entity, product) = (EntityId::Product(id), self.after.products.get(&id));
            let sales = self.sales_of(id);
            let changes = if stock.is_some() { sales.orders + sales.cancelled_orders } else { 0 };
            let version = product.map(|product| product.version);
            self.check_existence_and_version(entity, version, changes, violations);
            let Some(product) = product.filter(|_| !stock_was_set.contains(&id)) else { continue };
            let left = stock.map(|stock| stock.checked_sub(sales.quantity));
            if product.stock.map(Some) != left {
                violations.push(format!(
                    "{entity} had stock {stock:?} and sold {}, but has {:?}",
                    sales.quantity, product.stock
                ));
            }
        }
    }
}

impl ProductOperation {
    pub(super) fn write(&self) -> Option<Write> {
        let (id, is_deletion, expected_version) = match *self {
            Self::Create { .. } => return None,
            Self::Change { id, expected_version, .. } => (id, false, expected_version),
            Self::Delete { id, expected_version } => (id, true, expected_version),
        };
        Some(Write { entity: EntityId::Product(id), is_deletion, expected_version })
    }
}

impl From<ProductOperation> for Operation {
    fn from(operation: ProductOperation) -> Self {
        Self::Product(operation)
    }
}
