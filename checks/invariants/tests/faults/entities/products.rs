use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    Create {
        stock: Option<u64>,
        key: Option<String>,
    },
    /// Without a stock, it changes what stock items have copies of.
    Change {
        id: ProductId,
        stock: Option<Option<u64>>,
        expected_version: Option<u64>,
    },
    Delete {
        id: ProductId,
        expected_version: Option<u64>,
    },
    ChangeStock {
        id: ProductId,
        change: i64,
        key: Option<String>,
    },
    Spread {
        id: ProductId,
        items: u8,
    },
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
        let stock = self.new_stock(id);
        let body = match stock {
            Some(stock) => json!({ "stock": stock }),
            None if self.random.u8(..3) == 0 => json!({ "selling": self.random.bool() }),
            None => json!({ "price": self.random.u64(1..1_000), "name": "Crème à café, één kilo" }),
        };
        let expected_version = self.expected_product_version(id).await;
        let request = self.shop.products.patch(format!("/products/{id}")).json(body);
        let request = with_if_match(request.by(self.scenario.admin), expected_version);
        self.send(ProductOperation::Change { id, stock, expected_version }, request).await;
    }

    /// The stock to set, now and then, of a product whose stock may be set.
    fn new_stock(&mut self, id: ProductId) -> Option<Option<u64>> {
        let scenario = Arc::clone(&self.scenario);
        if scenario.stock_is_set.contains(&id) && self.random.bool() {
            let is_counted = self.random.u8(..4) > 0;
            return Some(is_counted.then(|| self.random.u64(50..200)));
        }
        let to_be_counted = &mut *scenario.to_be_counted.lock().unwrap();
        let is_this = *to_be_counted == Some(id) && self.random.bool();
        to_be_counted.take_if(|_| is_this).map(|_| Some(self.random.u64(20..40)))
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
    /// Adds a product and spreads it before the clients start.
    pub(crate) async fn add_product(
        &self,
        shop: &Shop,
        price: u64,
        stock: Option<u64>,
        spread: u8,
    ) -> ProductId {
        let body = json!({
            "name": "Blend №1", "category": "coffee", "price": price, "currency": "EUR",
            "stock": stock,
        });
        let sent_at = self.history.now();
        let answer = shop.products.post("/products").json(body).by(self.admin).send().await;
        let answer = answer.expect(201);
        self.history.record(ProductOperation::Create { stock, key: None }.into(), sent_at, &answer);
        let id = answer.body["id"].as_str().unwrap().parse().unwrap();
        let request = shop.products.put(format!("/products/{id}/stock-spread")).by(self.admin);
        let (body, sent_at) = (json!({ "items": spread }), self.history.now());
        let answer = request.json(body.clone()).send().await;
        assert_eq!(answer.body, body);
        let operation = ProductOperation::Spread { id, items: spread };
        self.history.record(operation.into(), sent_at, &answer);
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
    /// A product that was added exists. Its version counts the changes of it, and no sale.
    pub(super) fn check_products(&self, violations: &mut Vec<String>) {
        for id in self.added_products().into_keys() {
            let version = self.after.products.get(&id).map(|product| product.version);
            self.check_existence_and_version(EntityId::Product(id), version, violations);
        }
    }

    /// The first stock of each product that an answer named.
    pub(super) fn added_products(&self) -> BTreeMap<ProductId, Option<u64>> {
        let added = self.exchanges.iter().filter_map(|exchange| match exchange.operation {
            Operation::Product(ProductOperation::Create { stock, .. })
                if exchange.outcome() == Outcome::Acknowledged =>
            {
                Some((exchange.id()?, stock))
            }
            _ => None,
        });
        added.collect()
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
            let of_key = |product: &&Product| {
                product.description.as_ref().is_some_and(|text| text.as_str() == key)
            };
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
            Self::Create { .. } | Self::ChangeStock { .. } | Self::Spread { .. } => return None,
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
