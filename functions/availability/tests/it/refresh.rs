//! What becomes of a product.

use serde_json::json;
use storefront_core::ProductId;
use storefront_testing::{CapturedLog, Database};

use crate::records::{changed, changed_further, removed, with};
use crate::{Shop, all_refreshed};

#[tokio::test]
async fn a_product_that_is_sold_out_becomes_unavailable_and_available_again_with_new_pieces() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let espresso = shop.product(Some(1)).await;
    shop.sell(&espresso).await;
    assert_eq!(shop.available(&espresso).await, (true, 1), "the sale itself does not say so");
    assert_eq!(shop.handle(&[changed(1, &espresso, 1, 0)]).await.unwrap(), all_refreshed());
    assert_eq!(shop.available(&espresso).await, (false, 2));

    shop.products.change_stock(espresso.id, 5, None).await.unwrap();
    assert_eq!(shop.handle(&[changed(2, &espresso, 0, 5)]).await.unwrap(), all_refreshed());
    assert_eq!(shop.available(&espresso).await, (true, 3));
}

#[tokio::test]
async fn what_the_table_says_counts_and_not_what_an_old_record_says() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let espresso = shop.product(Some(1)).await;
    let records = [changed(1, &espresso, 1, 0)];
    assert_eq!(shop.handle(&records).await.unwrap(), all_refreshed());
    assert_eq!(shop.available(&espresso).await, (true, 2));
}

#[tokio::test]
async fn each_product_of_a_batch_is_refreshed_once() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let mut records = Vec::new();
    let mut products = Vec::new();
    for number in 0..25 {
        let product = shop.product(Some(1)).await;
        shop.sell(&product).await;
        for repeated in 0..3 {
            records.push(changed(100 * repeated + number, &product, 1, 0));
        }
        products.push(product);
    }
    let log = CapturedLog::start();
    assert_eq!(shop.handle(&records).await.unwrap(), all_refreshed());
    let [line] = &log.lines("request served")[..] else { panic!("one line") };
    assert_eq!((&line["outcome"], &line["records"]), (&json!("refreshed"), &json!(75)));
    assert_eq!((&line["changes"], &line["delivered"]), (&json!(25), &json!(25)));
    assert_eq!(line["requests"], 75, "three for each product");
    for product in &products {
        assert_eq!(shop.available(product).await, (false, 2));
    }
}

#[tokio::test]
async fn a_spread_product_is_available_until_the_last_of_its_stock_items_is_empty() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let espresso = shop.product(Some(2)).await;
    shop.products.spread_stock(espresso.id, 2).await.unwrap();
    for (sold, is_available) in [(1, true), (2, false)] {
        shop.sell(&espresso).await;
        let records = [changed(1, &espresso, 1, 0), changed_further(2, &espresso, 1)];
        assert_eq!(shop.handle(&records).await.unwrap(), all_refreshed());
        assert_eq!(shop.available(&espresso).await, (is_available, 1 + sold));
    }
}

#[tokio::test]
async fn the_records_of_a_deleted_product_and_of_other_items_are_acknowledged() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let espresso = shop.product(Some(1)).await;
    // The refresh itself writes such a record, which the filter does not pass.
    let of_the_product =
        with(changed(1, &espresso, 1, 0), "/dynamodb/Keys/SK", Some(json!({ "S": "METADATA" })));
    let of_a_user =
        with(of_the_product.clone(), "/dynamodb/Keys/PK", Some(json!({ "S": "USER#1" })));
    let records = [of_the_product, of_a_user, removed(2, ProductId::new())];
    assert_eq!(shop.handle(&records).await.unwrap(), all_refreshed());
    assert_eq!(shop.handle(&[]).await.unwrap(), all_refreshed());
    assert_eq!(shop.available(&espresso).await, (true, 1));
    assert_eq!(database.items().await.len(), 2, "nothing was added");
}
