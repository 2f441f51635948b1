//! Catching up with changes in the source.

use std::fs;

use crate::generate::Example;
use serde_json::Value;
use storefront_core::schema::Item;
use storefront_core::{OrderAccess, OrderStatus, Orders, Products, StatusChange, Users};
use storefront_core::{ProductChanges, UserChanges};
use storefront_testing::faults::{Fault, Plan};

use crate::load::{Move, Said};

/// Later than all times from the generator.
const NOW: &str = "strftime('%Y-%m-%d %H:%M:%f', 'now')";

/// Returns a shop that has been loaded, so that it can catch up.
pub(crate) async fn loaded() -> Move {
    let shop = Move::of(Example::IntegerKeys, 60, 0).await;
    shop.load(&[]).await.expect(0);
    shop
}

impl Move {
    pub(crate) async fn change(&self, table: &str, id: u32, set: &str) {
        let sql = format!("UPDATE {table} SET {set}, updated_at = {NOW} WHERE id = {id}");
        self.execute(&sql).await;
    }

    /// Returns the only item of a type with this key in the source.
    pub(crate) fn item(&self, kind: &str, legacy_id: u32) -> Item {
        let is = |item: &Item, name: &str, value: &str| {
            item.get(name).is_some_and(|it| it.as_s().unwrap() == value)
        };
        let mut found =
            self.dynamodb.items().into_iter().filter(|item| {
                is(item, "_type", kind) && is(item, "legacyId", &legacy_id.to_string())
            });
        let item = found.next().unwrap_or_else(|| panic!("no {kind} {legacy_id} in the table"));
        assert!(found.next().is_none(), "{kind} {legacy_id} is there twice");
        item
    }

    fn guards(&self) -> Vec<(String, String)> {
        let guards = self
            .items()
            .into_values()
            .filter(|item| item["_type"].as_s().unwrap() == "UniqueEmail");
        let text = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
        guards.map(|item| (text(&item, "PK"), text(&item, "legacyId"))).collect()
    }
}

pub(crate) fn text(item: &Item, name: &str) -> String {
    let value = &item[name];
    value.as_s().or_else(|_| value.as_n()).unwrap().clone()
}

#[tokio::test]
async fn changed_and_new_rows_are_loaded_and_nothing_else_is_touched() {
    let shop = loaded().await;
    let before = shop.items();
    shop.change("customers", 2, "first_name = 'Eva'").await;
    shop.change("products", 3, "title = 'New title'").await;
    shop.change("orders", 4, "state = CASE state WHEN 'X' THEN 'D' ELSE 'X' END").await;
    // Not seen, because nothing shows the change.
    shop.execute("UPDATE products SET title = 'Unseen' WHERE id = 5").await;
    shop.execute(&format!(
        "INSERT INTO orders SELECT 1000, customer_id, 'P', 0, {NOW}, {NOW} FROM orders WHERE id = 1;
         INSERT INTO order_lines SELECT 100000, 1000, product_id, 'Gift', 1, 0 FROM order_lines LIMIT 1"
    ))
    .await;

    let said = shop.load(&["--catch-up"]).await.expect(0);
    assert!(said.text.contains("1 users, 1 products, 2 orders"), "{}", said.text);
    assert!(said.text.contains("rows deleted from the source"), "{}", said.text);
    assert!(text(&shop.item("User", 2), "name").starts_with("Eva "));
    assert_eq!(text(&shop.item("Product", 3), "name"), "New title");
    assert_eq!(text(&shop.item("Order", 1000), "status"), "paid");
    assert_eq!(text(&shop.item("OrderItem", 1000), "name"), "Gift");
    assert_ne!(text(&shop.item("Product", 5), "name"), "Unseen");
    let after = shop.items();
    assert_eq!(after.len(), before.len() + 2);
    let changed = before.iter().filter(|(key, item)| after[*key] != **item);
    // The user, the product, the copy of its name in its stock item, and the order.
    assert_eq!(changed.count(), 4);

    // Everything is as a load would write it now, except the change that cannot be seen.
    shop.execute("UPDATE products SET title = title WHERE id = 5").await;
    let (mut expected, _) = shop.expected().await;
    for item in ["Product", "Stock"].map(|kind| shop.item(kind, 5)) {
        expected.insert(format!("{} {}", text(&item, "PK"), text(&item, "SK")), item);
    }
    assert!(after == expected);

    // The next round starts at the last one's start minus the overlap, and changes nothing.
    shop.load(&["--catch-up"]).await.expect(0);
    assert!(shop.items() == after);
}

#[tokio::test]
async fn an_order_loses_the_items_that_it_no_longer_has() {
    let shop = loaded().await;
    // An order with several items.
    let order = 1 + (0..60).find(|n| items_of(&shop, n + 1) > 1).unwrap();
    let of = format!("order_id = {order}");
    shop.execute(&format!(
        "DELETE FROM order_lines WHERE {of} AND id <> (SELECT MIN(id) FROM order_lines WHERE {of})"
    ))
    .await;
    let sum = format!("(SELECT ROUND(SUM(quantity * unit_price), 2) FROM order_lines WHERE {of})");
    shop.change("orders", order, &format!("grand_total = {sum}")).await;
    shop.load(&["--catch-up"]).await.expect(0);
    assert_eq!(items_of(&shop, order), 1);
    assert_eq!(text(&shop.item("Order", order), "itemCount"), "1");
    assert!(shop.items() == shop.expected().await.0);
}

#[tokio::test]
async fn an_order_is_loaded_again_if_its_items_have_changed() {
    let shop = Move::of(Example::IntegerKeys, 60, 0).await;
    shop.execute("ALTER TABLE order_lines ADD COLUMN updated_at TEXT").await;
    let mapping = shop.folder.path().join("migration.toml");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/integer-keys/migration.toml");
    let text = fs::read_to_string(example).unwrap();
    fs::write(
        &mapping,
        text.replace("AS price\nFROM order_lines", "AS price, updated_at FROM order_lines"),
    )
    .unwrap();
    let load = async |more: &[&str]| {
        let table = ["--table", shop.dynamodb.table_name(), "--max-wcu", "1000000"];
        let mut command = shop.command_by(&mapping, &[&table, more].concat());
        Said::of(command.output().await.unwrap()).expect(0)
    };
    load(&[]).await;
    let sql = format!("UPDATE order_lines SET product_title = 'Renamed', updated_at = {NOW}");
    shop.execute(&format!("{sql} WHERE order_id = 4")).await;
    let said = load(&["--catch-up"]).await;
    assert!(said.text.contains("0 users, 0 products, 1 orders"), "{}", said.text);
    assert!(!said.text.contains("[order_items]"), "{}", said.text);
    assert!(shop.items() == shop.expected().await.0);
}

fn items_of(shop: &Move, order: u32) -> usize {
    let order = order.to_string();
    let items = shop.dynamodb.items();
    items
        .iter()
        .filter(|item| text(item, "_type") == "OrderItem" && text(item, "legacyId") == order)
        .count()
}

#[tokio::test]
async fn a_new_email_gets_a_guard_even_if_users_pass_emails_on() {
    let shop = loaded().await;
    let old = text(&shop.item("User", 2), "email");
    let guards = shop.guards().len();
    // User 2 takes the email of user 3, who takes that of user 4, who takes a new one.
    let emails: Vec<_> = [3, 4].map(|n| text(&shop.item("User", n), "email")).into();
    shop.change("customers", 2, &format!("email = '{}'", emails[0])).await;
    shop.change("customers", 3, &format!("email = '{}'", emails[1])).await;
    shop.change("customers", 4, "email = 'new@example.com'").await;
    shop.load(&["--catch-up"]).await.expect(0);
    let found = shop.guards();
    assert_eq!(found.len(), guards);
    for (email, key) in [(&emails[0], "2"), (&emails[1], "3"), (&"new@example.com".to_owned(), "4")]
    {
        assert!(found.contains(&(format!("EMAIL#{email}"), key.to_owned())), "{found:?}");
    }
    assert!(!found.iter().any(|(guard, _)| *guard == format!("EMAIL#{old}")), "it is taken");
    assert!(shop.items() == shop.expected().await.0);
}

#[tokio::test]
async fn an_email_is_not_taken_from_another_user() {
    let shop = loaded().await;
    let before = shop.items();
    let email = text(&shop.item("User", 3), "email").to_uppercase();
    shop.change("customers", 2, &format!("email = ' {email}'")).await;
    shop.load(&["--catch-up"]).await.expect(3);
    let rejects = shop.rejects("catch-up-1.jsonl");
    assert_eq!(rejects.len(), 1);
    assert_eq!((&rejects[0]["key"], &rejects[0]["kind"]), (&"2".into(), &"email taken".into()));
    let reason = rejects[0]["reason"].as_str().unwrap();
    assert!(reason.contains(&text(&shop.item("User", 3), "id")), "{reason}");
    assert!(shop.items() == before);
}

#[tokio::test]
async fn what_the_shop_has_changed_is_kept_and_reported() {
    let shop = Move::of(Example::IntegerKeys, 60, 0).await;
    shop.execute("UPDATE orders SET state = 'P' WHERE id = 4").await;
    shop.load(&[]).await.expect(0);
    let table = shop.dynamodb.table(&Plan::none());
    let id = text(&shop.item("User", 2), "id").parse().unwrap();
    let changes = UserChanges { name: Some("Shop".parse().unwrap()), ..UserChanges::default() };
    Users::new(table.clone()).update(id, changes, None).await.unwrap();
    let id = text(&shop.item("Product", 3), "id").parse().unwrap();
    let changes = ProductChanges { price: Some(1), ..ProductChanges::default() };
    Products::new(table.clone()).update(id, changes, None).await.unwrap();
    let id = text(&shop.item("Order", 4), "id").parse().unwrap();
    let shipped = StatusChange::new(OrderStatus::Shipped);
    Orders::new(table).change_status(OrderAccess::Any, id, shipped).await.unwrap();

    let before = shop.items();
    shop.change("customers", 2, "first_name = 'Eva', email = 'eva@example.com'").await;
    shop.change("products", 3, "title = 'New title'").await;
    shop.change("orders", 4, "state = 'X'").await;
    let said = shop.load(&["--catch-up"]).await.expect(3);
    assert!(said.text.contains("1 kept in the table"), "{}", said.text);
    assert!(shop.items() == before);
    let rejects = shop.rejects("catch-up-1.jsonl");
    let text = |reject: &Value, name: &str| reject[name].as_str().unwrap().to_owned();
    let found: Vec<_> =
        rejects.iter().map(|it| format!("{} {}", text(it, "entity"), text(it, "key"))).collect();
    assert_eq!(found, ["user 2", "product 3", "order 4"]);
    for reject in &rejects {
        assert!(reject["reason"].as_str().unwrap().contains("has version 2"), "{reject}");
        assert!(reject["row"].is_object(), "{reject}");
    }
}

#[tokio::test]
async fn failed_requests_are_retried() {
    let shop = loaded().await;
    shop.change("customers", 2, "first_name = 'Eva'").await;
    shop.change("orders", 4, "state = 'X'").await;
    let faults = [
        Fault::Conflict,
        Fault::Throttled,
        Fault::ThroughputExceeded,
        Fault::AppliedServerError,
        Fault::AppliedReset,
        Fault::TruncatedBody,
    ];
    for fault in faults {
        shop.plan.next("TransactWriteItems", 1, fault);
    }
    for fault in [Fault::ServerError, Fault::Reset] {
        shop.plan.next("GetItem", 1, fault);
        shop.plan.next("Query", 1, fault);
    }
    shop.load(&["--catch-up"]).await.expect(0);
    assert_eq!(shop.plan.remaining(), 0, "some faults did not happen");
    assert!(shop.items() == shop.expected().await.0);
}

#[tokio::test]
async fn a_catch_up_requires_a_load() {
    let shop = Move::of(Example::IntegerKeys, 10, 0).await;
    let said = shop.load(&["--catch-up"]).await.expect(1);
    assert!(said.error.contains("run the load without --catch-up until it is done"));
    assert!(shop.items().is_empty());
}
