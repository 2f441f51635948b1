//! Runs the binary to read tables back and compare them with their sources.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::generate::Example;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use serde_json::Value;
use storefront_core::schema::Item;
use storefront_core::{
    LoginAttempt, LoginAttempts, NewOrder, NewOrderItem, NewUser, OrderAccess, OrderId,
    OrderStatus, Orders, PasswordHash, ProductChanges, Products, Role, Sessions, StatusChange,
    UserChanges, UserId, Users,
};
use storefront_testing::faults::{Fault, Plan};

use crate::catch_up::{loaded, text};
use crate::load::{Move, Said};

impl Move {
    pub(crate) async fn verify(&self, more: &[&str]) -> Said {
        self.verify_by(&self.mapping(), more).await
    }

    async fn verify_by(&self, mapping: &Path, more: &[&str]) -> Said {
        let mut command = self.program("verify", mapping);
        command.args(["--table", self.dynamodb.table_name()]).args(more);
        Said::of(command.output().await.unwrap())
    }

    /// Verifies with the state folder of the load.
    async fn verify_load(&self) -> Said {
        self.verify(&["--state", self.state().to_str().unwrap()]).await
    }

    /// Returns each line of the file of differences as `entity legacyId _type difference`, and the
    /// attributes or the reason.
    pub(crate) fn differences(&self) -> BTreeSet<String> {
        let path = self.folder.path().join("differences.jsonl");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let file = fs::read_to_string(path).unwrap();
        let lines = file.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(line["PK"].is_string() && line["SK"].is_string(), "{line}");
            let text = |name: &str| line[name].as_str().unwrap_or("-").to_owned();
            let said = ["entity", "legacyId", "_type", "difference"].map(text).join(" ");
            match (&line["attributes"], &line["why"]) {
                (Value::Array(names), _) => {
                    let names: Vec<_> = names.iter().map(|name| name.as_str().unwrap()).collect();
                    format!("{said}: {}", names.join(", "))
                }
                (_, Value::String(why)) => format!("{said}: {why}"),
                _ => said,
            }
        });
        lines.collect()
    }

    fn client(&self) -> Client {
        self.dynamodb.client(&Plan::none())
    }

    /// Sets an attribute, bypassing the shop.
    async fn set(&self, item: &Item, name: &str, value: &str) {
        let update = self.client().update_item().table_name(self.dynamodb.table_name());
        update
            .set_key(Some(key(item)))
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", AttributeValue::S(value.to_owned()))
            .send()
            .await
            .unwrap();
    }

    pub(crate) async fn put(&self, item: Item) {
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        let write = WriteRequest::builder().put_request(put).build();
        let table = self.dynamodb.table_name();
        self.client().batch_write_item().request_items(table, vec![write]).send().await.unwrap();
    }

    pub(crate) async fn delete(&self, item: &Item) {
        let delete = self.client().delete_item().table_name(self.dynamodb.table_name());
        delete.set_key(Some(key(item))).send().await.unwrap();
    }

    /// Returns the first item of an order.
    fn item_of(&self, order: u32) -> Item {
        self.items_of(order).next().unwrap()
    }

    fn items_of(&self, order: u32) -> impl Iterator<Item = Item> {
        let is = |item: &Item, name: &str, value: &str| {
            item.get(name).is_some_and(|it| it.as_s().unwrap() == value)
        };
        self.items().into_values().filter(move |item| {
            is(item, "_type", "OrderItem") && is(item, "legacyId", &order.to_string())
        })
    }
}

fn key(item: &Item) -> Item {
    ["PK", "SK"].map(|name| (name.to_owned(), item[name].clone())).into()
}

/// Returns the item with other attributes.
fn with(mut item: Item, attributes: &[(&str, &str)]) -> Item {
    for (name, value) in attributes {
        item.insert((*name).to_owned(), AttributeValue::S((*value).to_owned()));
    }
    item
}

#[tokio::test]
async fn a_table_is_equal_after_a_load_and_rejects_are_no_differences() {
    for example in [Example::IntegerKeys, Example::UuidKeys] {
        let shop = Move::of(example, 600, 60).await;
        shop.load(&[]).await.expect(3);
        let rejected = shop.rejects("rejects.jsonl").len();
        for more in [&[][..], &["--strict", "--segments", "1", "--samples", "2"]] {
            let said = shop.verify(more).await.expect(0);
            assert!(said.text.ends_with("differences: none\n"), "{}", said.text);
            let rejects = format!("because a load rejects them: {rejected}\n");
            assert!(said.text.contains(&rejects), "{}", said.text);
            let items = format!("; {} items; ", shop.items().len());
            assert!(said.text.contains(&items), "{}", said.text);
            let samples = if more.is_empty() { 25 } else { 2 };
            let samples = format!("{samples} products, {samples} orders");
            assert!(said.text.contains(&samples), "{}", said.text);
            for line in said.text.lines().filter(|line| line.trim_start().starts_with("Unique")) {
                let columns: Vec<_> = line.split_whitespace().collect();
                assert_eq!((columns[1], columns[3]), (columns[2], columns[4]), "{line}");
            }
        }
        shop.verify_load().await.expect(0);
        assert!(!shop.folder.path().join("differences.jsonl").exists());
    }
}

#[tokio::test]
async fn each_difference_is_named_without_personal_data() {
    let shop = loaded().await;
    let guard = |user: u32| shop.item("UniqueEmail", user);
    // In the table.
    shop.set(&shop.item("Product", 3), "name", "Else").await;
    shop.set(&shop.item("User", 2), "email", "else@example.com").await;
    shop.set(&shop.item("User", 3), "passwordHash", "else").await;
    shop.set(&shop.item("User", 4), "GSI1SK", "USER#else").await;
    shop.set(&shop.item("Order", 1), "more", "than expected").await;
    shop.delete(&shop.item("Product", 4)).await;
    shop.delete(&guard(5)).await;
    shop.set(&guard(6), "userId", &text(&shop.item("User", 5), "id")).await;
    shop.delete(&shop.item_of(2)).await;
    shop.set(&shop.item("Stock", 6), "name", "Else").await;
    shop.delete(&shop.item("Stock", 7)).await;
    let mut further = with(shop.item("Stock", 8), &[]);
    further.remove("legacyId");
    let partition = format!("{}#STOCK#01", text(&further, "PK"));
    shop.put(with(further.clone(), &[("PK", &partition)])).await;
    shop.put(with(further, &[("PK", "PRODUCT#else#STOCK#01")])).await;
    let product = shop.item("Product", 5);
    shop.put(with(product.clone(), &[("PK", "PRODUCT#else")])).await;
    shop.put(with(product.clone(), &[("PK", "PRODUCT#more"), ("legacyId", "999999")])).await;
    shop.put(with(product.clone(), &[("PK", "PRODUCT#odd"), ("_type", "Odd")])).await;
    let mut added = with(shop.item_of(3), &[("SK", "ITEM#else")]);
    added.remove("legacyId");
    shop.put(added.clone()).await;
    shop.put(with(added, &[("PK", "ORDER#else")])).await;
    let mut lost = with(guard(7), &[("PK", "EMAIL#lost@example.com")]);
    lost.remove("legacyId");
    shop.put(lost).await;
    // In the source.
    let gone = (4..60).find(|order| shop.items_of(*order).count() == 1).unwrap();
    shop.execute(&format!(
        "DELETE FROM order_lines WHERE order_id = {gone}; DELETE FROM orders WHERE id = {gone}"
    ))
    .await;
    shop.execute(
        "INSERT INTO orders SELECT 1000, customer_id, state, 0, created_at, updated_at FROM orders WHERE id = 1;
         INSERT INTO order_lines SELECT 100000, 1000, product_id, 'Gift', 1, 0 FROM order_lines LIMIT 1",
    )
    .await;

    // A sample of the order with an additional item would be another difference, now and then.
    let said = shop.verify(&["--samples", "0"]).await.expect(4);
    let expected = [
        "product 3 Product differs: name",
        "user 2 User differs: email",
        "user 3 User differs: passwordHash",
        "user 4 User differs: GSI1SK",
        "order 1 Order differs: more",
        "product 4 Product missing",
        "user 5 UniqueEmail missing",
        "user 6 UniqueEmail differs: userId",
        "order 2 OrderItem missing",
        "product 6 Stock differs: name",
        "product 7 Stock missing",
        "product - Stock unexpected: its product is spread over fewer stock items",
        "product - Stock unexpected: it belongs to no product",
        "product 5 Product unexpected: the product that it belongs to has no such item",
        "product 999999 Product unexpected: the source does not have it",
        "- 5 Odd unexpected: the shop has no items of this type",
        "order - OrderItem unexpected: its order was placed without it",
        "order - OrderItem unexpected: its order does not exist",
        "user - UniqueEmail unexpected: it belongs to no user",
        &format!("order {gone} Order unexpected: the source does not have it"),
        &format!("order {gone} OrderItem unexpected: the source does not have it"),
        "order 1000 Order missing",
        "order 1000 OrderItem missing",
    ];
    assert_eq!(shop.differences(), expected.map(str::to_owned).into());
    assert!(said.text.contains("differences: 23, see "), "{}", said.text);
    assert!(said.text.contains("product 3: Product PRODUCT#"), "{}", said.text);
    assert!(said.text.contains(" METADATA differs in name\n"), "{}", said.text);
    assert!(said.text.contains("user 5: UniqueEmail EMAIL#… METADATA is not in"), "{}", said.text);
    let file = fs::read_to_string(shop.folder.path().join("differences.jsonl")).unwrap();
    for text in [&said.text, &said.error, &file] {
        assert!(!text.contains("@example.com") && !text.contains("$2"), "{text}");
    }
    // It names the user instead of the email.
    assert!(file.contains(&text(&shop.item("User", 7), "id")), "{file}");
}

#[tokio::test]
async fn what_the_shop_has_done_since_is_counted_separately() {
    let shop = loaded().await;
    shop.execute("UPDATE orders SET state = 'P' WHERE id = 4").await;
    shop.load(&["--start-over"]).await.expect(0);
    let table = shop.dynamodb.table(&Plan::none());
    let (users, products) = (Users::new(table.clone()), Products::new(table.clone()));
    let orders = Orders::new(table.clone());
    // A user takes another email and password, and somebody else takes the old email.
    let user = shop.item("User", 2);
    let id: UserId = text(&user, "id").parse().unwrap();
    let email = Some("new@example.com".parse().unwrap());
    let password_hash = Some(PasswordHash::new("another".to_owned()));
    let changes = UserChanges { email, password_hash, ..UserChanges::default() };
    users.update(id, changes, None).await.unwrap();
    let new = NewUser {
        email: text(&user, "email").parse().unwrap(),
        name: "New".parse().unwrap(),
        password_hash: PasswordHash::new("none".to_owned()),
        role: Role::User,
        locale: None,
    };
    users.register(UserId::new(), new).await.unwrap();
    let product = text(&shop.item("Product", 3), "id").parse().unwrap();
    let changes = ProductChanges { price: Some(1), stock: Some(None), ..ProductChanges::default() };
    products.update(product, changes, None).await.unwrap();
    // A sale changes the stock of a product, and not its version.
    let sold = text(&shop.item("Product", 4), "id").parse().unwrap();
    let shipped = StatusChange::new(OrderStatus::Shipped);
    let order = text(&shop.item("Order", 4), "id").parse().unwrap();
    orders.change_status(OrderAccess::Any, order, shipped).await.unwrap();
    let order = NewOrder {
        id: OrderId::new(),
        user_id: id,
        items: [product, sold].map(|product_id| NewOrderItem { product_id, quantity: 1 }).into(),
        shipping_address: None,
        expected_total: None,
        idempotency_key: Some("once".parse().unwrap()),
        request_id: None,
    };
    orders.place(order).await.unwrap();
    let attempt = LoginAttempt::new("new@example.com".parse().unwrap(), None, None);
    LoginAttempts::new(table.clone()).begin(&attempt).await.unwrap();
    // A user with a hash from another shop has logged in, and logged out everywhere.
    let password: storefront_credentials::Password = "correct horse".parse().unwrap();
    let hash = password.hash().await.unwrap();
    let user = shop.item("User", 3);
    shop.execute(
        "UPDATE customers SET password_digest = \
         '$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy' WHERE id = 3",
    )
    .await;
    shop.set(&user, "passwordHash", hash.as_str()).await;
    Sessions::new(table).end_all(text(&user, "id").parse().unwrap()).await.unwrap();

    let said = shop.verify(&[]).await.expect(0);
    let changed = "changed by the shop since: 2 users, 2 products, 1 orders";
    assert!(said.text.contains(changed), "{}", said.text);
    for line in ["not compared: 1 Idempotency", "not compared: 1 LoginAttempts"] {
        assert!(said.text.contains(line), "{}", said.text);
    }
    // One of each, but two guards: the new user's, and the one of the old user's new email.
    let own = |item_type: &str| {
        let mut lines = said.text.lines().map(str::trim_start);
        let line = lines.find(|line| line.split(' ').next() == Some(item_type)).unwrap();
        line.split_whitespace().last().unwrap().to_owned()
    };
    let types = ["User", "UniqueEmail", "Product", "Stock", "Order", "OrderItem"];
    assert_eq!(types.map(own), ["1", "2", "0", "0", "1", "2"]);

    shop.verify(&["--strict"]).await.expect(4);
    let found = shop.differences();
    for line in [
        "user 2 User differs: GSI1PK, email, passwordHash, passwordVersion, sessionEpoch, updatedAt, version",
        "user 2 UniqueEmail differs: legacyId, userId",
        "user 3 User differs: passwordHash, sessionEpoch",
        "product 3 Product differs: price, updatedAt, version",
        "product 3 Stock differs: price, quantity",
        "product 4 Stock differs: quantity",
        "order 4 Order differs: GSI2PK, status, updatedAt, version",
        "order - Order unexpected: the shop itself has created it",
    ] {
        assert!(found.contains(line), "{line}: {found:?}");
    }
}

#[tokio::test]
async fn what_a_load_would_reject_now_is_not_expected_in_the_table() {
    let shop = loaded().await;
    let (oldest, other) = (shop.item("User", 1), shop.item("User", 9));
    let email = text(&oldest, "email").to_uppercase();
    shop.execute(&format!("UPDATE customers SET email = ' {email}' WHERE id = 9")).await;
    shop.execute("UPDATE products SET unit_price = -1 WHERE id = 3").await;
    let said = shop.verify(&[]).await.expect(4);
    let expected = [
        "user 9 User unexpected: a load rejects it (shared email)",
        "user 9 UniqueEmail unexpected: a load rejects it (shared email)",
        "product 3 Product unexpected: a load rejects it (out of range)",
        "product 3 Stock unexpected: a load rejects it (out of range)",
    ];
    assert_eq!(shop.differences(), expected.map(str::to_owned).into(), "{}", said.text);
    assert!(said.text.contains(&format!("USER#{}", text(&other, "id"))), "{}", said.text);
}

#[tokio::test]
async fn what_a_catch_up_has_kept_is_no_difference_if_its_state_folder_is_given() {
    let shop = loaded().await;
    // User 2 is older than user 3, who has the email in the table.
    let email = text(&shop.item("User", 3), "email");
    shop.change("customers", 2, &format!("email = '{email}'")).await;
    shop.load(&["--catch-up"]).await.expect(3);
    shop.verify(&[]).await.expect(4);
    let said = shop.verify_load().await.expect(0);
    let left = "kept in the table by a catch-up: 2 users, 0 products, 0 orders";
    assert!(said.text.contains(left), "{}", said.text);
    // Any other difference still counts.
    shop.delete(&shop.item("Product", 3)).await;
    shop.verify_load().await.expect(4);
}

#[tokio::test]
async fn a_state_folder_must_belong_to_the_load() {
    let shop = loaded().await;
    let other = shop.folder.path().join("other.toml");
    let mapping = fs::read_to_string(shop.mapping()).unwrap();
    fs::write(&other, mapping.replace("N = \"pending\"", "N = \"paid\"")).unwrap();
    let state = shop.state();
    let state = ["--state", state.to_str().unwrap()];
    let said = shop.verify_by(&other, &state).await.expect(1);
    assert!(
        said.error.contains("belongs to another load: the mapping has changed"),
        "{}",
        said.error
    );

    let said = shop.verify(&["--state", "elsewhere"]).await.expect(1);
    assert!(said.error.contains("no load has been completed with the state"), "{}", said.error);
    assert!(!shop.folder.path().join("elsewhere").exists(), "the folder was created");

    // The state folder of an import does not know the table.
    fs::remove_dir_all(shop.state()).unwrap();
    let files = shop.command(&["--to", "import", "files"]).output().await.unwrap();
    Said::of(files).expect(0);
    shop.verify(&state).await.expect(0);
}

#[tokio::test]
async fn failed_requests_are_retried() {
    let shop = loaded().await;
    for fault in [
        Fault::Unprocessed,
        Fault::ThroughputExceeded,
        Fault::Throttled,
        Fault::ServerError,
        Fault::Reset,
        Fault::TruncatedBody,
        Fault::Unprocessed,
    ] {
        shop.plan.next("BatchGetItem", 1, fault);
    }
    for fault in [Fault::ThroughputExceeded, Fault::ServerError, Fault::Reset] {
        shop.plan.next("Scan", 1, fault);
    }
    shop.verify(&["--max-rcu", "100000"]).await.expect(0);
    assert_eq!(shop.plan.remaining(), 0, "some faults did not happen");
    assert!(shop.dynamodb.injected()[&Fault::Unprocessed] >= 2);
}

#[tokio::test]
async fn a_permanent_failure_is_not_reported_as_a_difference() {
    let shop = loaded().await;
    for operation in ["BatchGetItem", "Scan"] {
        let refusal = serde_json::json!({
            "__type": "com.amazon.coral.service#AccessDeniedException",
            "message": format!("not authorized to perform: dynamodb:{operation}"),
        });
        shop.plan.answer_next(operation, 1, refusal);
        let said = shop.verify(&[]).await.expect(1);
        assert!(said.error.contains("error: cannot read the table"), "{}", said.error);
        assert!(said.error.contains(operation), "{}", said.error);
    }
}
