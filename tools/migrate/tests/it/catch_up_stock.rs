//! Catching up with products whose stock changes in the source or in the table.

use serde_json::json;
use storefront_core::{
    NewOrder, NewOrderItem, OrderAccess, OrderId, OrderStatus, Orders, ProductId, Products,
    StatusChange,
};
use storefront_testing::faults::{Fault, Plan};

use crate::catch_up::{loaded, text};
use crate::load::Move;

fn id_of(shop: &Move, product: u32) -> ProductId {
    text(&shop.item("Product", product), "id").parse().unwrap()
}

fn loaded_and_now(shop: &Move, product: u32) -> (String, String) {
    let stock = shop.item("Stock", product);
    (text(&stock, "legacyQuantity"), text(&stock, "quantity"))
}

#[tokio::test]
async fn a_product_is_loaded_together_with_its_stock() {
    let shop = loaded().await;
    shop.change("products", 3, "title = 'New title', stock_count = 7").await;
    shop.change("products", 4, "stock_count = 0").await;
    shop.change("products", 5, "stock_count = NULL").await;
    shop.load(&["--catch-up"]).await.expect(0);
    let after = shop.items();
    assert_eq!(loaded_and_now(&shop, 3), ("7".to_owned(), "7".to_owned()));
    assert_eq!(text(&shop.item("Stock", 3), "name"), "New title");
    assert!(!shop.item("Product", 4)["available"].as_bool().unwrap());
    assert!(!shop.item("Stock", 5).contains_key("quantity"));
    // It is as a load would write it now, except that the revision has been counted up. Otherwise
    // the shop could overwrite `available` with what it has read before.
    let mut expected = shop.expected().await.0;
    for product in [3, 4, 5] {
        let product = shop.item("Product", product);
        assert_eq!(text(&product, "availableRevision"), "2");
        expected.insert(format!("{} METADATA", text(&product, "PK")), product);
    }
    assert!(after == expected);

    shop.load(&["--catch-up"]).await.expect(0);
    assert!(shop.items() == after, "a repeated round changes something");
}

#[tokio::test]
async fn a_product_whose_stock_the_shop_has_changed_is_kept_whole() {
    let shop = loaded().await;
    let products = Products::new(shop.dynamodb.table(&Plan::none()));
    shop.execute("UPDATE products SET stock_count = 9").await;
    shop.load(&["--start-over"]).await.expect(0);
    products.change_stock(id_of(&shop, 3), -2, None).await.unwrap();
    products.spread_stock(id_of(&shop, 4), 3).await.unwrap();
    let before = shop.items();
    shop.change("products", 3, "title = 'New title'").await;
    shop.change("products", 4, "title = 'New title'").await;
    shop.load(&["--catch-up"]).await.expect(3);
    assert!(shop.items() == before);
    let rejects = shop.rejects("catch-up-1.jsonl");
    let found: Vec<_> = rejects.iter().map(|it| (&it["key"], &it["kind"])).collect();
    let kept = json!("kept in the table");
    assert_eq!(found, [(&json!("3"), &kept), (&json!("4"), &kept)]);
    for (reject, change) in
        rejects.iter().zip(["from 9 to 7;", "from 9 to 3 in the first of 3 items;"])
    {
        assert!(reject["reason"].as_str().unwrap().contains(change), "{reject}");
    }
}

#[tokio::test]
async fn a_stock_that_a_cancellation_has_restored_is_loaded_again() {
    let shop = loaded().await;
    shop.change("products", 3, "stock_count = 9").await;
    shop.load(&["--catch-up"]).await.expect(0);
    let orders = Orders::new(shop.dynamodb.table(&Plan::none()));
    let order = NewOrder {
        id: OrderId::new(),
        user_id: text(&shop.item("User", 2), "id").parse().unwrap(),
        items: vec![NewOrderItem { product_id: id_of(&shop, 3), quantity: 2 }],
        shipping_address: None,
        expected_total: None,
        idempotency_key: None,
        request_id: None,
    };
    let id = order.id;
    orders.place(order).await.unwrap();
    assert_eq!(loaded_and_now(&shop, 3), ("9".to_owned(), "7".to_owned()));
    let cancelled = StatusChange::new(OrderStatus::Cancelled);
    orders.change_status(OrderAccess::Any, id, cancelled).await.unwrap();
    shop.change("products", 3, "stock_count = 8").await;
    shop.load(&["--catch-up"]).await.expect(0);
    assert_eq!(loaded_and_now(&shop, 3), ("8".to_owned(), "8".to_owned()));
}

#[tokio::test]
async fn a_product_of_0_1_that_was_upgraded_since_is_kept_and_named() {
    let shop = loaded().await;
    shop.change("products", 3, "stock_count = 9").await;
    shop.load(&["--start-over"]).await.expect(0);
    let mut stock = shop.item("Stock", 3);
    stock.remove("legacyQuantity").unwrap();
    shop.put(stock).await;
    let before = shop.items();
    shop.change("products", 3, "stock_count = 7").await;
    shop.load(&["--catch-up"]).await.expect(3);
    assert!(shop.items() == before);
    let rejects = shop.rejects("catch-up-1.jsonl");
    assert_eq!(
        (&rejects[0]["key"], &rejects[0]["kind"]),
        (&json!("3"), &json!("kept in the table"))
    );
    shop.verify(&[]).await.expect(4);
    let expected = "product 3 Stock differs: legacyQuantity, quantity".to_owned();
    assert!(shop.differences().contains(&expected), "{:?}", shop.differences());
}

#[tokio::test]
async fn a_product_whose_availability_is_refreshed_meanwhile_is_loaded() {
    let shop = loaded().await;
    shop.change("products", 3, "stock_count = 7").await;
    shop.plan.precede_next("TransactWriteItems", |request| {
        let put = &request["TransactItems"][0]["Put"];
        json!({"TransactItems": [{"Update": {
            "TableName": put["TableName"],
            "Key": {"PK": put["Item"]["PK"], "SK": put["Item"]["SK"]},
            "UpdateExpression": "SET availableRevision = availableRevision + :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }}]})
    });
    shop.load(&["--catch-up"]).await.expect(0);
    assert_eq!(loaded_and_now(&shop, 3), ("7".to_owned(), "7".to_owned()));
    assert_eq!(text(&shop.item("Product", 3), "availableRevision"), "3");
}

#[tokio::test]
async fn failed_requests_are_retried_for_products_too() {
    let shop = loaded().await;
    shop.change("products", 3, "stock_count = 7").await;
    for fault in [Fault::Conflict, Fault::AppliedServerError, Fault::AppliedReset] {
        shop.plan.next("TransactWriteItems", 1, fault);
    }
    shop.plan.next("Query", 1, Fault::ServerError);
    shop.load(&["--catch-up"]).await.expect(0);
    assert_eq!(shop.plan.remaining(), 0, "some faults did not happen");
    assert_eq!(loaded_and_now(&shop, 3), ("7".to_owned(), "7".to_owned()));
}
