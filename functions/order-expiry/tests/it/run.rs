//! What a run cancels.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use storefront_core::{
    CancelReason, NewOrder, NewOrderItem, OrderAccess, OrderStatus, Payment, StatusChange,
    Timestamp, UserId,
};
use storefront_http::MetricSink;
use storefront_order_expiry::Expiry;
use storefront_testing::faults::{FaultyDynamoDb, Plan};
use storefront_testing::{CapturedLog, CapturedMetrics, Database, unreachable_table};

use crate::{Shop, order_of, put, run};

fn paid() -> StatusChange {
    StatusChange::new(OrderStatus::Paid)
}

#[tokio::test]
async fn overdue_orders_are_cancelled_and_all_others_stay() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let (anna, blend) = (shop.customer().await, shop.product(10).await);
    let mut orders = Vec::new();
    for seconds in [Some(-60), Some(-1), Some(60), None, Some(-60)] {
        let order = order_of(anna, &blend, seconds);
        put(&database, &order).await;
        orders.push(order.order);
    }
    // The last one was paid in the last moment.
    shop.orders.change_status(OrderAccess::Any, orders[4].id, paid()).await.unwrap();

    let (log, metrics) = (CapturedLog::start(), CapturedMetrics::default());
    let sink = MetricSink::new("shop", metrics.clone());
    let expiry = Expiry::new(database.table()).with_metrics(sink);
    let all = json!({ "expired": 2, "failed": 0, "more": false });
    assert_eq!(run(&expiry).await.unwrap(), all);
    assert_eq!(shop.stock(&blend).await, Some(12));
    for (place, order) in orders.iter().enumerate() {
        let now = shop.order(order.id).await;
        let expected = match place {
            0 | 1 => (OrderStatus::Cancelled, Payment::Unpaid, Some(CancelReason::Expired)),
            4 => (OrderStatus::Paid, Payment::Paid, None),
            _ => (OrderStatus::Pending, Payment::Unpaid, None),
        };
        assert_eq!((now.status, now.payment(), now.cancel_reason), expected, "{place}");
    }
    let metrics = metrics.take();
    assert!(metrics.iter().any(|line| line["OrdersExpired"] == 2.0), "{metrics:?}");
    let delay = metrics.iter().find_map(|line| line["ExpiryDelay"].as_f64()).unwrap();
    assert!((60.0..120.0).contains(&delay), "{delay}");
    let [line] = &log.lines("request served")[..] else { panic!("one line") };
    assert_eq!((&line["outcome"], &line["changes"]), (&json!("expired"), &json!(2)));

    // Nothing is left, so the next run does nothing, and says that the expiry is not late.
    let sink_metrics = CapturedMetrics::default();
    let sink = MetricSink::new("shop", sink_metrics.clone());
    let expiry = Expiry::new(database.table()).with_metrics(sink);
    let nothing = json!({ "expired": 0, "failed": 0, "more": false });
    assert_eq!(run(&expiry).await.unwrap(), nothing);
    let metrics = sink_metrics.take();
    assert!(metrics.iter().any(|line| line["ExpiryDelay"] == 0.0), "{metrics:?}");
    assert_eq!(shop.stock(&blend).await, Some(12));
}

#[tokio::test]
async fn money_that_comes_after_the_expiry_is_owed_back() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let (anna, blend) = (shop.customer().await, shop.product(0).await);
    let order = order_of(anna, &blend, Some(-1));
    put(&database, &order).await;
    run(&Expiry::new(database.table())).await.unwrap();
    let id = order.order.id;
    let paid = shop.orders.change_status(OrderAccess::Any, id, paid()).await.unwrap().order;
    assert_eq!((paid.status, paid.payment()), (OrderStatus::Cancelled, Payment::RefundDue));
    assert_eq!(paid.cancel_reason, Some(CancelReason::Expired));
    assert_eq!(shop.stock(&blend).await, Some(1), "it can be sold to somebody else");
}

#[tokio::test]
async fn an_order_that_cannot_be_cancelled_does_not_stop_the_rest() {
    let (dynamodb, plan) = (FaultyDynamoDb::start(), Plan::none());
    let shop = Shop::on(dynamodb.table(&plan));
    let (anna, blend) = (shop.customer().await, shop.product(20).await);
    for _ in 0..20 {
        let items = vec![NewOrderItem { product_id: blend.id, quantity: 1 }];
        shop.orders.place(NewOrder::new(anna, items)).await.unwrap();
    }
    shop.orders.let_expire(anna, Timestamp::now()).await.unwrap();
    let denied = json!({ "__type": "AccessDeniedException", "message": "no" });
    plan.answer_next("TransactWriteItems", 1, denied);
    let log = CapturedLog::start();
    let expiry = Expiry::new(dynamodb.table(&plan));
    let one_left = json!({ "expired": 19, "failed": 1, "more": false });
    assert_eq!(run(&expiry).await.unwrap(), one_left);
    let warnings = log.lines("an order that was not paid in time could not be cancelled");
    let [warning] = &warnings[..] else { panic!("one warning: {warnings:?}") };
    assert_eq!(warning["level"], "WARN");
    let last = json!({ "expired": 1, "failed": 0, "more": false });
    assert_eq!(run(&expiry).await.unwrap(), last);
    assert_eq!(shop.stock(&blend).await, Some(20));
}

#[tokio::test]
async fn orders_that_can_never_be_cancelled_neither_hide_nor_use_up_a_run() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let (anna, blend) = (shop.customer().await, shop.product(0).await);
    let odd = [
        ("userId", AttributeValue::S(UserId::new().to_string())),
        ("version", AttributeValue::N(u64::MAX.to_string())),
        ("total", AttributeValue::S("free".to_owned())),
    ];
    for n in 0..240 {
        let mut items = order_of(anna, &blend, Some(-60)).to_items().unwrap();
        let (name, value) = odd[n % odd.len()].clone();
        items[0].insert(name.to_owned(), value);
        for item in items {
            database.put(item).await;
        }
    }
    for _ in 0..8 {
        put(&database, &order_of(anna, &blend, Some(-1))).await;
    }
    let log = CapturedLog::start();
    // A shard's share of the bound is eight orders.
    let expiry = Expiry::new(database.table()).with_most(64);
    let done = json!({ "expired": 8, "failed": 240, "more": false });
    assert_eq!(run(&expiry).await.unwrap(), done);
    assert_eq!(shop.stock(&blend).await, Some(8));
    let warnings = log.lines("an order that was not paid in time could not be cancelled");
    assert_eq!(warnings.len(), 240, "each is named");
}

#[tokio::test]
async fn runs_at_the_same_time_cancel_each_order_once() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let (anna, blend) = (shop.customer().await, shop.product(0).await);
    for _ in 0..30 {
        put(&database, &order_of(anna, &blend, Some(-1))).await;
    }
    let expiry = Expiry::new(database.table());
    let runs = futures_util::future::join_all((0..3).map(|_| run(&expiry))).await;
    let expired: u64 =
        runs.iter().map(|run| run.as_ref().unwrap()["expired"].as_u64().unwrap()).sum();
    assert_eq!((expired, shop.stock(&blend).await), (30, Some(30)));
}

#[tokio::test]
async fn a_run_fails_if_the_table_cannot_be_reached() {
    let log = CapturedLog::start();
    assert!(run(&Expiry::new(unreachable_table())).await.is_err());
    let [line] = &log.lines("request served")[..] else { panic!("one line") };
    assert_eq!((&line["level"], &line["outcome"]), (&json!("ERROR"), &json!("failed")));
}

/// The pieces of its order go where the product is moved to, when it is met.
#[tokio::test]
async fn a_product_of_version_0_1_gets_its_pieces_back() {
    let database = Database::start().await;
    let shop = Shop::on(database.table());
    let (anna, blend) = (shop.customer().await, shop.product(0).await);
    let order = order_of(anna, &blend, Some(-1));
    put(&database, &order).await;
    let items = database.items().await.into_iter();
    let mut products = items.filter(|item| item["_type"].as_s().unwrap() == "Product");
    let mut product = products.next().unwrap();
    shop.remove(&blend).await;
    for new in ["available", "availableRevision", "selling"] {
        product.remove(new);
    }
    product.insert("stock".to_owned(), AttributeValue::N("3".to_owned()));
    database.put(product).await;

    let one = json!({ "expired": 1, "failed": 0, "more": false });
    assert_eq!(run(&Expiry::new(database.table())).await.unwrap(), one);
    assert_eq!(shop.stock(&blend).await, Some(4));
}
