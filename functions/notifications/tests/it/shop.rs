//! A shop on a table, whose writes become events.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use storefront_core::{
    Locale, NewOrder, NewOrderItem, NewUser, OrderAccess, OrderId, OrderStatus, Orders,
    PasswordHash, Product, ProductId, Products, Refund, Registrations, Role, StatusChange, Table,
    User, UserId, Users, schema,
};
use storefront_events::Record;
use storefront_testing::faults::{FaultyDynamoDb, Plan};
use storefront_testing::{evidence, new_product};

/// A shop, and its table in this process.
pub(crate) struct Shop {
    pub(crate) dynamodb: FaultyDynamoDb,
    pub(crate) orders: Orders,
    pub(crate) users: Users,
    products: Products,
    refunds: AtomicU64,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let dynamodb = FaultyDynamoDb::start();
        let table = dynamodb.table(&Plan::none());
        Self {
            orders: Orders::new(table.clone()),
            users: Users::new(table.clone()),
            products: Products::new(table),
            dynamodb,
            refunds: AtomicU64::new(0),
        }
    }

    /// The table, without faults.
    pub(crate) fn table(&self) -> Table {
        self.dynamodb.table(&Plan::none())
    }

    pub(crate) async fn customer(&self, name: &str, locale: Option<Locale>) -> User {
        let id = UserId::new();
        let email = format!("{id}@example.com");
        evidence::email(&email);
        let new = NewUser {
            email: email.parse().unwrap(),
            name: name.parse().unwrap(),
            password_hash: PasswordHash::new("$argon2id$nobody's".to_owned()),
            role: Role::User,
            locale,
        };
        self.users.register(id, new).await.unwrap()
    }

    /// A product without end, at this price.
    pub(crate) async fn product(&self, name: &str, price: u64) -> Product {
        let new =
            storefront_core::NewProduct { name: name.parse().unwrap(), ..new_product(price, None) };
        self.products.create(ProductId::new(), new).await.unwrap().product
    }

    /// Places an order of these products, one piece more of each.
    pub(crate) async fn place(&self, customer: &User, products: &[&Product]) -> OrderId {
        let items = products.iter().zip(1..);
        let items = items
            .map(|(product, quantity)| NewOrderItem { product_id: product.id, quantity })
            .collect();
        let new = NewOrder::new(customer.id, items);
        self.orders.place(new).await.unwrap().value.order.id
    }

    pub(crate) async fn change(&self, id: OrderId, status: OrderStatus) {
        self.change_as(OrderAccess::Any, id, StatusChange::new(status)).await;
    }

    pub(crate) async fn change_as(&self, access: OrderAccess, id: OrderId, change: StatusChange) {
        self.orders.change_status(access, id, change).await.unwrap();
    }

    pub(crate) async fn refund(&self, id: OrderId, amount: u64) {
        let number = self.refunds.fetch_add(1, Ordering::Relaxed);
        let refund = Refund {
            amount,
            booked_by: UserId::new(),
            idempotency_key: format!("refund-{number}").parse().unwrap(),
            request_id: None,
        };
        self.orders.refund(id, refund).await.unwrap();
    }

    /// Keeps a registration until its email is verified.
    pub(crate) async fn registers(&self, id: UserId, email: &str, name: &str) {
        evidence::email(email);
        let new = NewUser {
            email: email.parse().unwrap(),
            name: name.parse().unwrap(),
            password_hash: PasswordHash::new("$argon2id$nobody's".to_owned()),
            role: Role::User,
            locale: None,
        };
        Registrations::new(self.table()).keep(id, new).await.unwrap();
    }

    /// The items of the tokens of mails.
    pub(crate) fn tokens(&self) -> Vec<Value> {
        let images =
            self.dynamodb.stream().into_iter().map(|record| record["dynamodb"]["NewImage"].clone());
        images.filter(|image| image["_type"]["S"] == "MailToken").collect()
    }

    /// Makes an item's time be over.
    pub(crate) async fn expire(&self, key: schema::Key) {
        let client = self.dynamodb.client(&Plan::none());
        let past = AttributeValue::N("1".to_owned());
        let update = client.update_item().table_name(self.dynamodb.table_name());
        let update = update.set_key(Some(key.into())).update_expression("SET expiresAt = :past");
        update.expression_attribute_values(":past", past).send().await.unwrap();
    }

    /// The events of all that happened so far, as EventBridge delivers them.
    pub(crate) fn events(&self) -> Vec<Value> {
        let records = self.dynamodb.stream().into_iter();
        let events = records.filter_map(|record| {
            let record = serde_json::value::to_raw_value(&record).unwrap();
            match Record::read(&record) {
                Record::Change(change) => Some(change.event),
                Record::Ignored => None,
                Record::Unreadable(unreadable) => panic!("{unreadable:?}"),
            }
        });
        let delivered = |event: storefront_events::Event| {
            let detail: Value = serde_json::from_str(&event.detail().unwrap()).unwrap();
            json!({
                "version": "0",
                "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
                "detail-type": event.kind(),
                "source": event.source(),
                "account": "123456789012",
                "time": "2026-11-22T09:00:00Z",
                "region": "eu-central-1",
                "resources": [],
                "detail": detail,
            })
        };
        events.map(delivered).collect()
    }
}
