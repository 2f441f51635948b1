use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use storefront_core::schema::{IndexKey, Item, Key};
use storefront_core::{Product, ProductId};
use storefront_invariants::Shop;

use super::{EntityId, Operation, Snapshot, Write};
use crate::engine::checker::Checker;
use crate::engine::client::{Client, with_if_match};
use crate::engine::history::{Exchange, Outcome};
use crate::engine::schedule::Scenario;
use crate::engine::snapshot::{check_version_is_positive, entity, expect_keys};

#[derive(Clone, Debug)]
pub(crate) enum ProductOperation {
    Create { stock: Option<u64>, key: Option<String> },
    Change { id: ProductId, sets_stock: bool, expected_version: Option<u64> },
    Delete { id: ProductId, expected_version: Option<u64> },
}

impl Client {
    pub(super) async fn create_product(&mut self) {
        let number = self.random.u64(1..20);
        let (stock, key) = match self.random.u8(..4) {
            0 => (None, None),
            1 => (Some(number), None),
            // The same key mostly comes with the same stock.
            2 => (Some(number % 3), Some(format!("product-{}", number % 3))),
            _ => (Some(number), Some(format!("product-{}", number % 3))),
        };
        for _ in 0..3 {
            let body = json!({
                "name": "Bönchen ☕", "description": key, "category": "coffee", "price": 250,
                "currency": "EUR", "stock": stock,
            });
            let mut request =
                self.shop.products.post("/products").json(body).by(self.scenario.admin);
            if let Some(key) = &key {
                request = request.header("idempotency-key", key);
            }
            let operation = ProductOperation::Create { stock, key: key.clone() };
            let answer = self.send(operation, request).await;
            if answer.status == 201 {
                let id = answer.body["id"].as_str().unwrap().parse().unwrap();
                self.scenario.products.lock().unwrap().push(id);
            }
            if answer.status != 503 || key.is_none() {
                break;
            }
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
        self.history.record(ProductOperation::Create { stock, key: None }.into(), sent_at, &answer);
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
            let Operation::Product(ProductOperation::Create { stock, .. }) = exchange.operation
            else {
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

impl Checker<'_> {
    /// A key adds one product, once, and every repetition is answered that product.
    pub(super) fn check_keys_of_products(&self, violations: &mut Vec<String>) {
        let mut answers: BTreeMap<&str, Vec<&Exchange>> = BTreeMap::new();
        for exchange in self.exchanges {
            let Operation::Product(ProductOperation::Create { key: Some(key), .. }) =
                &exchange.operation
            else {
                continue;
            };
            let answers = answers.entry(key).or_default();
            answers.extend((exchange.outcome() == Outcome::Acknowledged).then_some(exchange));
        }
        for (key, answers) in answers {
            let mut ids: BTreeSet<ProductId> =
                answers.iter().filter_map(|exchange| exchange.id()).collect();
            let added = answers.iter().filter(|exchange| exchange.answer.status == 201).count();
            // A product keeps its description, whatever happens to it.
            let of_key = |product: &&Product| product.description.as_deref() == Some(key);
            ids.extend(self.after.products.values().filter(of_key).map(|product| product.id));
            ids.extend(self.after.keys_of_products.get(key));
            if ids.len() > 1 || added > 1 {
                violations.push(format!("key {key} added {added} products: {ids:?}"));
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
