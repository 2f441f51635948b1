//! The function, called as the schedule calls it, on a real table.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bounds;
mod process;
mod run;

use lambda_runtime::{Context, LambdaEvent};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use storefront_core::{
    Order, OrderAccess, OrderId, OrderItem, OrderWithItems, Orders, Product, ProductId, Products,
    Role, Table, Timestamp, UserId,
};
use storefront_order_expiry::Expiry;
use storefront_testing::{Database, Persona, evidence, new_product};

/// The event of the schedule.
pub(crate) fn event() -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-11-22T09:00:00Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/storefront-OrderExpiry"],
        "detail": {},
    })
}

/// Invokes the function with the event of the schedule; returns its answer as JSON.
pub(crate) async fn run(expiry: &Expiry) -> Result<Value, lambda_runtime::Error> {
    run_in(expiry, Context::default()).await
}

pub(crate) async fn run_in(
    expiry: &Expiry,
    context: Context,
) -> Result<Value, lambda_runtime::Error> {
    let event: IgnoredAny = serde_json::from_value(event())?;
    let run = expiry.handle(LambdaEvent::new(event, context)).await?;
    Ok(serde_json::to_value(run)?)
}

/// A shop on a table.
pub(crate) struct Shop {
    pub(crate) table: Table,
    pub(crate) orders: Orders,
    products: Products,
}

impl Shop {
    pub(crate) fn on(table: Table) -> Self {
        evidence::start();
        let (orders, products) = (Orders::new(table.clone()), Products::new(table.clone()));
        Self { table, orders, products }
    }

    pub(crate) async fn product(&self, stock: u64) -> Product {
        self.products
            .create(ProductId::new(), new_product(1890, Some(stock)))
            .await
            .unwrap()
            .product
    }

    pub(crate) async fn stock(&self, product: &Product) -> Option<u64> {
        self.products.find(product.id).await.unwrap().unwrap().stock
    }

    pub(crate) async fn remove(&self, product: &Product) {
        self.products.delete(product.id, None).await.unwrap();
    }

    pub(crate) async fn customer(&self) -> UserId {
        Persona::registered(&self.table, Role::User).await.user_id
    }

    pub(crate) async fn order(&self, id: OrderId) -> Order {
        self.orders.find(OrderAccess::Any, id).await.unwrap().unwrap().order
    }
}

/// An order of a piece of this product, which has to be paid by a time in so many seconds.
pub(crate) fn order_of(user_id: UserId, product: &Product, seconds: Option<i64>) -> OrderWithItems {
    let id = OrderId::new();
    let now = Timestamp::now().as_millis();
    let order = Order {
        pay_by: seconds.and_then(|seconds| Timestamp::from_millis(now + seconds * 1000)),
        ..Order::new(id, user_id, 1, product.price, product.currency)
    };
    let item = OrderItem {
        order_id: id,
        product_id: product.id,
        name: product.name.clone(),
        quantity: 1,
        price: product.price,
        taken: Some(1),
        taken_from: Some(0),
    };
    OrderWithItems { order, items: vec![item] }
}

/// Puts an order as it is, with its items.
pub(crate) async fn put(database: &Database, order: &OrderWithItems) {
    for item in order.to_items().unwrap() {
        database.put(item).await;
    }
}
