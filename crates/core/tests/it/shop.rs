//! A separate shop for each test.

use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::schema::ItemType;
use storefront_core::{
    Category, Email, Error, IdempotencyKey, LoginAttempt, LoginAttempts, MailTokens, Mails,
    NewOrder, NewOrderItem, NewUser, Once, Order, OrderStatus, OrderWithItems, Orders,
    PasswordHash, Product, ProductId, Products, Registrations, RequestId, Role, Sessions,
    StatusChange, Table, User, UserId, Users, aws, schema,
};
use storefront_testing::faults::{FaultyDynamoDb, Plan};
use storefront_testing::{TestTable, evidence, new_product, test_table};

pub(crate) struct Shop {
    pub(crate) users: Users,
    pub(crate) login_attempts: LoginAttempts,
    pub(crate) sessions: Sessions,
    pub(crate) mail_tokens: MailTokens,
    pub(crate) registrations: Registrations,
    pub(crate) products: Products,
    pub(crate) orders: Orders,
    pub(crate) mails: Mails,
    pub(crate) client: aws_sdk_dynamodb::Client,
    pub(crate) table_name: String,
    /// Runs until it is dropped.
    _dynamodb: Option<TestTable>,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let dynamodb = test_table().await;
        let endpoint_url = dynamodb.endpoint_url().to_owned();
        let client = aws::dynamodb(&aws::patient_emulator_config(), Some(endpoint_url));
        let table_name = dynamodb.table_name().to_owned();
        Self { _dynamodb: Some(dynamodb), ..Self::over(client, table_name) }
    }

    /// Opens a shop whose requests fail when the plan says so.
    pub(crate) fn with_faults() -> (Self, Plan) {
        let (dynamodb, plan) = (FaultyDynamoDb::start(), Plan::none());
        (Self::over(dynamodb.client(&plan), dynamodb.table_name().to_owned()), plan)
    }

    pub(crate) fn over(client: aws_sdk_dynamodb::Client, table_name: String) -> Self {
        let table = Table::new(client.clone(), &table_name);
        Self {
            users: Users::new(table.clone()),
            login_attempts: LoginAttempts::new(table.clone()),
            sessions: Sessions::new(table.clone()),
            mail_tokens: MailTokens::new(table.clone()),
            registrations: Registrations::new(table.clone()),
            products: Products::new(table.clone()),
            orders: Orders::new(table.clone()),
            mails: Mails::new(table),
            client,
            table_name,
            _dynamodb: None,
        }
    }

    pub(crate) async fn register(&self, email: &str) -> Result<User, Error> {
        self.users.register(UserId::new(), new_user(email)).await
    }

    pub(crate) async fn anna(&self) -> User {
        self.register("anna@example.com").await.unwrap()
    }

    pub(crate) async fn product(&self, price: u64, stock: impl Into<Option<u64>>) -> Product {
        let new = new_product(price, stock.into());
        self.products.create(ProductId::new(), new).await.unwrap().product
    }

    pub(crate) async fn products(&self, count: usize) -> Vec<Product> {
        let mut products = Vec::with_capacity(count);
        for _ in 0..count {
            products.push(self.product(100, 10).await);
        }
        products
    }

    pub(crate) async fn place(
        &self,
        user: &User,
        items: &[(&Product, u32)],
    ) -> Result<Order, Error> {
        Ok(self.orders.place(new_order(user, items)).await?.value.order)
    }

    pub(crate) async fn place_as(
        &self,
        key: &str,
        user: &User,
        items: &[(&Product, u32)],
    ) -> Result<Once<OrderWithItems>, Error> {
        let idempotency_key: Option<IdempotencyKey> = Some(key.parse().unwrap());
        self.orders.place(NewOrder { idempotency_key, ..new_order(user, items) }).await
    }

    pub(crate) async fn stock(&self, product: &Product) -> Option<u64> {
        self.products.find(product.id).await.unwrap().unwrap().stock
    }

    /// Reads a product that exists.
    pub(crate) async fn found(&self, product: &Product) -> Product {
        self.products.find(product.id).await.unwrap().unwrap().product
    }

    /// Puts an order into the table as it is, bypassing the shop's rules.
    pub(crate) async fn put(&self, order: OrderWithItems) {
        for item in order.to_items().unwrap() {
            let put = self.client.put_item().table_name(&self.table_name).set_item(Some(item));
            put.send().await.unwrap();
        }
    }

    /// Reads an item as it is in the table.
    pub(crate) async fn raw(&self, key: schema::Key) -> Option<schema::Item> {
        self.client
            .get_item()
            .table_name(&self.table_name)
            .set_key(Some(key.into()))
            .send()
            .await
            .unwrap()
            .item
    }

    /// Sets an attribute directly, bypassing the repositories.
    pub(crate) async fn overwrite(&self, key: schema::Key, attribute: &str, value: AttributeValue) {
        self.client
            .update_item()
            .table_name(&self.table_name)
            .set_key(Some(key.into()))
            .update_expression("SET #attribute = :value")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .unwrap();
    }

    /// Removes an attribute directly, bypassing the repositories.
    pub(crate) async fn remove(&self, key: schema::Key, attribute: &str) {
        let update = self.client.update_item().table_name(&self.table_name);
        let update = update.set_key(Some(key.into())).update_expression("REMOVE #attribute");
        update.expression_attribute_names("#attribute", attribute).send().await.unwrap();
    }

    /// Removes an item from the index, as if the index did not have it yet.
    pub(crate) async fn remove_from_index(&self, key: schema::Key) {
        self.client
            .update_item()
            .table_name(&self.table_name)
            .set_key(Some(key.into()))
            .update_expression("REMOVE GSI1PK, GSI1SK")
            .send()
            .await
            .unwrap();
    }

    /// Puts a log-in count with this number attribute and nothing else.
    pub(crate) async fn put_login_attempts(&self, email: &Email, attribute: &str, value: i64) {
        let key: schema::Item = schema::Key::login_attempts(email, 0, None).into();
        let put = self.client.put_item().table_name(&self.table_name).set_item(Some(key));
        put.item(schema::TYPE, AttributeValue::S(ItemType::LoginAttempts.to_string()))
            .item(attribute, AttributeValue::N(value.to_string()))
            .send()
            .await
            .unwrap();
    }

    /// Counts the items of this type in the table.
    pub(crate) async fn count(&self, item_type: ItemType) -> usize {
        let is_it = |item: &&schema::Item| item[schema::TYPE].as_s().unwrap() == item_type.as_str();
        self.scan().await.iter().filter(is_it).count()
    }

    /// Reads all items in the table.
    pub(crate) async fn scan(&self) -> Vec<schema::Item> {
        let scan = self.client.scan().table_name(&self.table_name).send().await.unwrap();
        assert!(scan.last_evaluated_key.is_none(), "a test's table fits in one page");
        scan.items.unwrap_or_default()
    }
}

/// An attempt to log in with an email of nobody's, from the loopback address.
pub(crate) fn attempt(email: &Email) -> LoginAttempt {
    LoginAttempt::new(email.clone(), None, None)
}

pub(crate) fn email(text: &str) -> Email {
    evidence::email(text);
    text.parse().unwrap()
}

pub(crate) fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn category(text: &str) -> Category {
    text.parse().unwrap()
}

pub(crate) fn new_user(address: &str) -> NewUser {
    NewUser {
        email: email(address),
        name: "Anna".parse().unwrap(),
        password_hash: PasswordHash::new("$argon2id$anna".to_owned()),
        role: Role::User,
        locale: None,
    }
}

pub(crate) fn new_order(user: &User, items: &[(&Product, u32)]) -> NewOrder {
    let items = items
        .iter()
        .map(|&(product, quantity)| NewOrderItem { product_id: product.id, quantity })
        .collect();
    NewOrder { request_id: Some(request_id()), ..NewOrder::new(user.id, items) }
}

/// A change to this status, whatever the version.
pub(crate) fn becoming(to: OrderStatus) -> StatusChange {
    StatusChange { request_id: Some(request_id()), ..StatusChange::new(to) }
}

fn request_id() -> RequestId {
    "JKJaXmPLvHcESHA=".parse().unwrap()
}
