//! Orders that are placed, and what they should take.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};
use storefront_core::capacity::Consumed;
use storefront_core::{
    Category, Currency, MAX_ORDER_ITEMS, NewProduct, ProductId, Products, Table,
};

use crate::Error;
use crate::error::Failure;
use crate::event::{self, Expected, with_body, with_header};
use crate::runtime_api::Answer;

/// More than anybody orders here.
const STOCK: u64 = 1_000_000_000;

/// How many items an order has, and whether it has an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Kind {
    pub(super) items: u32,
    #[serde(rename = "idempotencyKey")]
    pub(super) key: bool,
}

impl Kind {
    /// What docs/access-patterns.md says.
    pub(super) fn cost(self) -> Consumed {
        let (items, key) = (f64::from(self.items), f64::from(u8::from(self.key)));
        Consumed {
            requests: 2,
            read_units: 0.5 + 0.5 * items + 0.5 * key,
            write_units: 3.0 + 5.0 * items + 2.0 * key,
        }
    }

    /// Fails when it was more. Less is a failure as well: of what was counted, or of the document.
    pub(super) fn check(self, cost: Consumed) -> Result<(), Error> {
        if cost == self.cost() {
            return Ok(());
        }
        Err(Error::OtherCost {
            order: self.to_string(),
            cost: said(cost),
            expected: said(self.cost()),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = if self.items == 1 { "item" } else { "items" };
        let key = if self.key { ", with a key" } else { "" };
        write!(f, "{} {items}{key}", self.items)
    }
}

fn said(Consumed { requests, read_units, write_units }: Consumed) -> String {
    format!("{requests} requests, {read_units} read units and {write_units} write units")
}

/// Makes events that each place another order.
pub(super) struct Orders {
    event: Value,
    products: Vec<ProductId>,
    made: u64,
    placed: HashSet<String>,
}

impl Orders {
    /// What the function answers.
    pub(super) const PLACED: Expected = Expected::Status(201);

    /// Of products that are put into the table for it.
    pub(super) async fn of(table: &Table, root: &Path) -> Result<Self, Error> {
        let mut event = event::read(root, "orders/place")?;
        if let Some(headers) = event["headers"].as_object_mut() {
            headers.remove("idempotency-key");
        }
        let products = Products::new(table.clone());
        let mut ids = Vec::new();
        for number in 0..MAX_ORDER_ITEMS {
            let id = ProductId::new();
            let category: Category = "bench".parse().map_err(Error::services)?;
            let product = NewProduct {
                name: format!("Espresso blend no. {number}, 1 kg"),
                description: Some("Dark and round, for the machine.".to_owned()),
                category,
                price: 1_890,
                currency: Currency::EUR,
                stock: Some(STOCK),
            };
            products.create(id, product).await.map_err(Error::services)?;
            ids.push(id);
        }
        Ok(Self { event, products: ids, made: 0, placed: HashSet::new() })
    }

    /// The next order of a kind.
    pub(super) fn event(&mut self, kind: Kind) -> String {
        self.made += 1;
        let items = self.products.iter().take(kind.items as usize);
        let items: Vec<_> =
            items.map(|product| json!({ "productId": product, "quantity": 1 })).collect();
        let mut event = with_body(self.event.clone(), &json!({ "items": items }));
        if kind.key {
            event = with_header(event, "idempotency-key", &format!("bench-{}", self.made));
        }
        event.to_string()
    }

    /// Fails unless it is a new order with all of its items.
    pub(super) fn verify(&mut self, kind: Kind, answer: &Answer) -> Result<(), Failure> {
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let body = value["body"].as_str().unwrap_or_default();
        let order: Value = serde_json::from_str(body).unwrap_or_default();
        let items = order["items"].as_array().map_or(0, Vec::len);
        let is_new = order["id"].as_str().is_some_and(|id| self.placed.insert(id.to_owned()));
        if is_new && items == kind.items as usize {
            return Ok(());
        }
        Err(Failure::Unexpected(body.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_may_take_what_the_document_says_and_nothing_else() {
        let kind = Kind { items: 10, key: true };
        let cost = Consumed { requests: 2, read_units: 6.0, write_units: 55.0 };
        assert!(kind.check(cost).is_ok());
        for other in [
            Consumed { requests: 3, ..cost },
            Consumed { read_units: 6.5, ..cost },
            Consumed { write_units: 57.0, ..cost },
            Consumed { write_units: 0.0, ..cost },
        ] {
            let error = kind.check(other).unwrap_err().to_string();
            assert!(error.contains("55 write units") && error.contains("10 items"), "{error}");
        }
    }

    #[tokio::test]
    async fn each_order_has_other_products_and_a_key_of_its_own_or_none() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let database = storefront_embedded::test_table().await;
        let client = storefront_core::aws::dynamodb(
            &storefront_core::aws::emulator_config(),
            Some(database.endpoint_url().to_owned()),
        );
        let table = Table::new(client, database.table_name());
        let mut orders = Orders::of(&table, &root).await.unwrap();

        let mut event = |kind| serde_json::from_str::<Value>(&orders.event(kind)).unwrap();
        let with_key = Kind { items: 48, key: true };
        let (first, second) = (event(with_key), event(with_key));
        let none = event(Kind { items: 1, key: false });

        let key = |event: &Value| event["headers"].get("idempotency-key").cloned();
        assert!(key(&first).is_some() && key(&first) != key(&second));
        assert_eq!(key(&none), None);
        let body: Value = serde_json::from_str(first["body"].as_str().unwrap()).unwrap();
        let items = body["items"].as_array().unwrap();
        let products: HashSet<_> = items.iter().map(|item| item["productId"].to_string()).collect();
        assert_eq!(products.len(), 48);
    }
}
