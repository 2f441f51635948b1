//! The function, called as the event source mapping calls it, on a real table.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod failures;
mod process;
mod records;
mod refresh;

use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storefront_availability::{Consumer, StreamBatch};
use storefront_core::{NewOrder, NewOrderItem, Orders, Product, ProductId, Products, Role, Table};
use storefront_http::MetricSink;
use storefront_testing::{Persona, evidence, new_product};

/// A shop on a table.
struct Shop {
    table: Table,
    products: Products,
}

impl Shop {
    fn on(table: Table) -> Self {
        evidence::start();
        Self { products: Products::new(table.clone()), table }
    }

    async fn product(&self, stock: Option<u64>) -> Product {
        self.products.create(ProductId::new(), new_product(1890, stock)).await.unwrap().product
    }

    /// Sells a piece to a new customer.
    async fn sell(&self, product: &Product) {
        let user = Persona::registered(&self.table, Role::User).await;
        let items = vec![NewOrderItem { product_id: product.id, quantity: 1 }];
        let order = NewOrder::new(user.user_id, items);
        Orders::new(self.table.clone()).place(order).await.unwrap();
    }

    /// Returns the product's `available` in the table, and how often it has been written.
    async fn available(&self, product: &Product) -> (bool, u64) {
        let found = self.products.find(product.id).await.unwrap().unwrap().product;
        (found.available, found.available_revision)
    }

    /// Invokes the function with these records; returns its answer as JSON.
    async fn handle(&self, records: &[Value]) -> Result<Value, lambda_runtime::Error> {
        self.handle_in(Context::default(), records).await
    }

    async fn handle_in(
        &self,
        context: Context,
        records: &[Value],
    ) -> Result<Value, lambda_runtime::Error> {
        self.invoke(Consumer::new(self.table.clone()), context, records).await
    }

    /// Invokes the function, which writes its metrics to this sink.
    async fn handle_with(
        &self,
        metrics: MetricSink,
        records: &[Value],
    ) -> Result<Value, lambda_runtime::Error> {
        let consumer = Consumer::new(self.table.clone()).with_metrics(metrics);
        self.invoke(consumer, Context::default(), records).await
    }

    async fn invoke(
        &self,
        consumer: Consumer,
        context: Context,
        records: &[Value],
    ) -> Result<Value, lambda_runtime::Error> {
        let payload = json!({ "Records": records }).to_string();
        let batch: StreamBatch = serde_json::from_str(&payload)?;
        let answer = consumer.handle(LambdaEvent::new(batch, context)).await;
        Ok(serde_json::to_value(answer)?)
    }
}

/// The answer that acknowledges the whole batch.
fn all_refreshed() -> Value {
    json!({ "batchItemFailures": [] })
}

/// The answer that names the records with these sequence numbers.
fn failed(sequence_numbers: &[u64]) -> Value {
    let failures = sequence_numbers.iter();
    let failures: Vec<_> =
        failures.map(|number| json!({ "itemIdentifier": number.to_string() })).collect();
    json!({ "batchItemFailures": failures })
}
