//! Which records are delivered again.

use lambda_runtime::Context;
use serde_json::{Value, json};
use storefront_core::Product;
use storefront_http::MetricSink;
use storefront_testing::faults::{FaultyDynamoDb, Plan};
use storefront_testing::{CapturedLog, CapturedMetrics, Database, unreachable_table};

use crate::records::{changed, record, with};
use crate::{Shop, all_refreshed, failed};

/// Returns products that are sold out, although lists do not say so yet.
async fn sold_out(shop: &Shop, count: usize) -> Vec<Product> {
    let mut products = Vec::new();
    for _ in 0..count {
        let product = shop.product(Some(1)).await;
        shop.sell(&product).await;
        products.push(product);
    }
    products
}

#[tokio::test]
async fn the_records_of_a_product_that_cannot_be_refreshed_are_named_and_the_others_are_done() {
    let (dynamodb, plan) = (FaultyDynamoDb::start(), Plan::none());
    let shop = Shop::on(dynamodb.table(&plan));
    let [first, second, third] = &sold_out(&shop, 3).await[..] else { unreachable!() };
    let records = [
        changed(1, second, 1, 0),
        changed(2, first, 1, 0),
        changed(3, third, 1, 0),
        changed(4, first, 1, 0),
    ];
    // Products are refreshed in the order of their ids, which is that of their creation.
    let denied = json!({ "__type": "AccessDeniedException", "message": "no" });
    plan.answer_next("GetItem", 1, denied);
    let log = CapturedLog::start();
    assert_eq!(shop.handle(&records).await.unwrap(), failed(&[2, 4]));
    let warnings = log.lines("a product's availability was not refreshed");
    let [warning] = &warnings[..] else { panic!("one warning: {warnings:?}") };
    assert_eq!(warning["level"], "WARN");
    assert_eq!(warning["product.id"], first.id.to_string());
    assert_eq!(shop.available(first).await, (true, 1));
    assert_eq!(shop.available(second).await, (false, 2));
    assert_eq!(shop.available(third).await, (false, 2));

    // Lambda delivers everything from the first of them again.
    assert_eq!(shop.handle(&records[1..]).await.unwrap(), all_refreshed());
    for product in [first, second, third] {
        assert!(!shop.available(product).await.0);
    }
}

#[tokio::test]
async fn if_the_table_cannot_be_reached_every_record_is_named() {
    let database = Database::start().await;
    let products = sold_out(&Shop::on(database.table()), 2).await;
    let records = [changed(1, &products[0], 1, 0), changed(2, &products[1], 1, 0)];
    let mut answer = Shop::on(unreachable_table()).handle(&records).await.unwrap();
    let failures = answer["batchItemFailures"].as_array_mut().unwrap();
    failures.sort_by_key(|failure| failure["itemIdentifier"].to_string());
    assert_eq!(answer, failed(&[1, 2]));
}

#[tokio::test]
async fn what_is_not_done_before_the_function_times_out_is_named() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let products = sold_out(&shop, 1).await;
    let mut context = Context::default();
    context.deadline = 1;
    let answer = shop.handle_in(context, &[changed(1, &products[0], 1, 0)]).await.unwrap();
    assert_eq!(answer, failed(&[1]));
}

#[tokio::test]
async fn a_product_with_an_odd_stock_item_does_not_hold_up_others() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let [odd, other] = &sold_out(&shop, 2).await[..] else { unreachable!() };
    let items = database.items().await;
    let is_stock_of_odd = |item: &&storefront_core::schema::Item| {
        item["PK"].as_s().unwrap() == &format!("PRODUCT#{}", odd.id)
            && item["SK"].as_s().unwrap() == "METADATA#STOCK"
    };
    let mut item = items.iter().find(is_stock_of_odd).unwrap().clone();
    let price = item["name"].clone();
    item.insert("price".to_owned(), price);
    database.put(item).await;
    let records = [changed(1, odd, 1, 0), changed(2, other, 1, 0)];
    let (log, metrics) = (CapturedLog::start(), CapturedMetrics::default());
    let sink = MetricSink::new("shop", metrics.clone());
    // A retry would not help, and everything behind it would wait for the retries.
    assert_eq!(shop.handle_with(sink, &records).await.unwrap(), all_refreshed());
    assert_eq!(shop.available(other).await, (false, 2));
    let [line] = &log.lines("a product cannot be read and was left as it is")[..] else {
        panic!("one line")
    };
    assert_eq!((&line["level"], &line["product.id"]), (&json!("ERROR"), &json!(odd.id)));
    assert!(metrics.take().iter().any(|line| line["UnreadableItems"] == 1.0));
}

/// Records whose product nobody knows, each with what its log line says of it.
fn odd_records(product: &Product) -> Vec<(Value, &'static str)> {
    let good = || changed(7, product, 1, 0);
    let foreign = |partition: &str| record(7, partition, &json!(1), &json!(0));
    let keys = "the record's keys are missing or belong to no item of the shop";
    vec![
        (with(good(), "/dynamodb/Keys", None), keys),
        (with(good(), "/dynamodb/Keys/PK", None), keys),
        (with(good(), "/dynamodb/Keys/SK", Some(json!({ "N": "1" }))), keys),
        (with(good(), "/dynamodb/Keys", Some(json!("PRODUCT"))), keys),
        (foreign("PRODUCT#"), keys),
        (foreign("PRODUCT#7"), keys),
        (foreign("PRODUCT##STOCK#01"), keys),
        (foreign(&format!("ORDER#{}", product.id)), keys),
    ]
}

#[tokio::test]
async fn a_record_whose_product_nobody_knows_is_passed_over_counted_and_logged_without_its_content()
{
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let [espresso, other] = &sold_out(&shop, 2).await[..] else { unreachable!() };
    for (odd, reason) in odd_records(espresso) {
        let (log, metrics) = (CapturedLog::start(), CapturedMetrics::default());
        let records = [odd.clone(), changed(8, other, 1, 0)];
        let sink = MetricSink::new("shop", metrics.clone());
        assert_eq!(shop.handle_with(sink, &records).await.unwrap(), all_refreshed(), "{odd}");
        assert!(metrics.take().iter().any(|line| line["UnreadableItems"] == 1.0));
        let [line] = &log.lines("a record cannot be read")[..] else { panic!("one line") };
        assert_eq!(line["level"], "ERROR");
        assert_eq!(
            (&line["reason"], &line["record.sequence_number"]),
            (&json!(reason), &json!("7"))
        );
        let partition = &odd["dynamodb"]["Keys"]["PK"]["S"];
        assert_eq!(line.get("record.pk").unwrap_or(&Value::Null), partition, "{line}");
        assert!(!log.text().contains("CONFIDENTIAL"), "{}", log.text());
    }
    assert!(!shop.available(other).await.0);
    assert_eq!(shop.available(espresso).await, (true, 1));
}

#[tokio::test]
async fn a_record_without_a_sequence_number_does_not_hold_up_others() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let products = sold_out(&shop, 1).await;
    let good = || changed(7, &products[0], 1, 0);
    let nameless = [
        json!(null),
        json!("a record"),
        json!([]),
        json!({}),
        with(good(), "/dynamodb", None),
        with(good(), "/dynamodb/SequenceNumber", None),
        with(good(), "/dynamodb/SequenceNumber", Some(json!(7))),
        with(good(), "/dynamodb/SequenceNumber", Some(json!(""))),
    ];
    for record in nameless {
        let answer = shop.handle(&[record.clone(), good()]).await.unwrap();
        assert_eq!(answer, all_refreshed(), "{record}");
    }
    assert!(!shop.available(&products[0]).await.0);
}

#[tokio::test]
async fn what_the_function_does_not_need_may_be_odd() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let products = sold_out(&shop, 1).await;
    let odd = [
        ("/eventName", None),
        ("/eventName", Some(json!("UPSERT"))),
        ("/dynamodb/NewImage", Some(json!([]))),
        ("/dynamodb/NewImage/quantity", Some(json!({ "Z": "of the future" }))),
        ("/dynamodb/ApproximateCreationDateTime", Some(json!("yesterday"))),
    ];
    for (pointer, value) in odd {
        let record = with(changed(1, &products[0], 1, 0), pointer, value);
        assert_eq!(shop.handle(&[record]).await.unwrap(), all_refreshed(), "{pointer}");
    }
}
