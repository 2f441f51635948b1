//! Erasing where a deleted user lived.

use storefront_core::schema::{GSI1, Item, Key};
use storefront_core::{
    AddressLine, Currency, Erased, Order, OrderAccess, OrderId, OrderStatus, OrderWithItems, User,
    UserId,
};

use super::address;
use crate::shop::{Shop, becoming, new_order};

/// Puts orders of a user with an address, as large as they get, and one without.
async fn put(shop: &Shop, user: UserId, count: usize) {
    // Four bytes each.
    let long: AddressLine = "🏠".repeat(AddressLine::MAX).parse().unwrap();
    for number in 0..=count {
        let mut order = Order::new(OrderId::new(), user, 0, 100, Currency::EUR);
        if number < count {
            let mut address = address();
            (address.name, address.line1, address.city) =
                (long.clone(), long.clone(), long.clone());
            (address.line2, address.region) = (Some(long.clone()), Some(long.clone()));
            order.shipping_address = Some(address);
        }
        shop.put(OrderWithItems { order, items: Vec::new() }).await;
    }
}

/// Returns the user's orders as they are in the table, without their addresses.
async fn orders(shop: &Shop, user: UserId) -> Vec<Item> {
    let partition = Key::user(user).pk;
    let of_user = |item: &Item| item["PK"].as_s().unwrap() == &partition;
    let mut items: Vec<Item> = shop.scan().await.into_iter().filter(of_user).collect();
    items.retain(|item| item["SK"].as_s().unwrap().starts_with("ORDER#"));
    items.sort_by_key(|item| item["SK"].as_s().unwrap().clone());
    for item in &mut items {
        item.remove("shippingAddress");
    }
    items
}

/// Whether the table or GSI1 still has an address in one of the user's orders.
async fn has_addresses(shop: &Shop, user: UserId) -> bool {
    for index in [None, Some(GSI1.to_owned())] {
        let scan = shop.client.scan().table_name(&shop.table_name).set_index_name(index);
        let items = scan.send().await.unwrap().items.unwrap_or_default();
        let is_left = |item: &Item| {
            let is_theirs = item.get("userId").and_then(|id| id.as_s().ok());
            is_theirs == Some(&user.to_string()) && item.contains_key("shippingAddress")
        };
        if items.iter().any(is_left) {
            return true;
        }
    }
    false
}

async fn anna_and_an_order(shop: &Shop) -> (User, Order) {
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let mut new = new_order(&anna, &[(&blend, 1)]);
    new.shipping_address = Some(address());
    let order = shop.orders.place(new).await.unwrap().value.order;
    (anna, order)
}

#[tokio::test]
async fn the_addresses_of_a_deleted_user_go_and_everything_else_of_the_orders_stays() {
    let shop = Shop::open().await;
    let (anna, order) = anna_and_an_order(&shop).await;
    let ben = shop.register("ben@example.com").await.unwrap();
    put(&shop, anna.id, 2).await;
    put(&shop, ben.id, 1).await;
    shop.users.delete(anna.id, None).await.unwrap();
    let before = orders(&shop, anna.id).await;

    let erased = shop.orders.erase(anna.id).await.unwrap();
    assert_eq!(erased, Some(Erased { orders: 4, addresses: 3 }));
    assert!(!has_addresses(&shop, anna.id).await);
    assert_eq!(orders(&shop, anna.id).await, before, "version, updatedAt and requestId, too");
    assert!(has_addresses(&shop, ben.id).await, "of others, nothing is removed");

    let again = shop.orders.erase(anna.id).await.unwrap();
    assert_eq!(again, Some(Erased { orders: 4, addresses: 0 }));
    // The order goes on living.
    let paid = becoming(OrderStatus::Paid);
    let paid = shop.orders.change_status(OrderAccess::Any, order.id, paid).await.unwrap().order;
    assert_eq!((paid.shipping_address, paid.version), (None, 2));
}

#[tokio::test]
async fn a_user_who_exists_keeps_the_addresses() {
    let shop = Shop::open().await;
    let (anna, _) = anna_and_an_order(&shop).await;
    assert_eq!(shop.orders.erase(anna.id).await.unwrap(), None);
    assert!(has_addresses(&shop, anna.id).await);
    assert_eq!(shop.orders.erase(UserId::new()).await.unwrap(), Some(Erased::default()));
}

#[tokio::test]
async fn more_orders_than_one_answer_holds_are_all_erased() {
    let shop = Shop::open().await;
    let user = UserId::new();
    // 2.4 KB each: more than 1 MB, where DynamoDB cuts an answer.
    put(&shop, user, 500).await;
    // The embedded DynamoDB counts the order before which it cuts in both answers, so only addresses
    // are compared.
    for expected in [500, 0] {
        assert_eq!(shop.orders.erase(user).await.unwrap().unwrap().addresses, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_that_changes_meanwhile_keeps_the_change_and_loses_the_address() {
    let (shop, plan) = Shop::with_faults();
    let (anna, order) = anna_and_an_order(&shop).await;
    shop.users.delete(anna.id, None).await.unwrap();
    plan.precede_next("TransactWriteItems", |transaction| {
        let update = &transaction["TransactItems"][0]["Update"];
        serde_json::json!({ "TransactItems": [{ "Update": {
            "TableName": update["TableName"], "Key": update["Key"],
            "UpdateExpression": "SET #status = :paid, version = :next",
            "ExpressionAttributeNames": { "#status": "status" },
            "ExpressionAttributeValues": { ":paid": { "S": "paid" }, ":next": { "N": "2" } },
        }}]})
    });
    assert_eq!(shop.orders.erase(anna.id).await.unwrap().unwrap().addresses, 1);
    assert_eq!(plan.remaining(), 0);
    assert!(!has_addresses(&shop, anna.id).await);
    let found = shop.orders.find(OrderAccess::Any, order.id).await.unwrap().unwrap().order;
    assert_eq!((found.status, found.version), (OrderStatus::Paid, 2));
}
