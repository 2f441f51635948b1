//! Transactions that DynamoDB cancels for a conflict: the embedded one never does, so an
//! interceptor sends some tries to an endpoint that answers as DynamoDB would.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{Error as AnyError, Input, Output};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Value, json};
use storefront_core::{Error, OrderAccess, OrderStatus, ProductChanges, StatusChange, UserChanges};

use crate::shop::{Shop, becoming, email};

/// Sends the next `remaining` requests for `operation` to another endpoint.
#[derive(Debug)]
struct Divert {
    operation: &'static str,
    remaining: Arc<AtomicU32>,
    endpoint_url: String,
}

#[dyn_dispatch_hint]
impl Intercept for Divert {
    fn name(&self) -> &'static str {
        "Divert"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_, Input, Output, AnyError>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        if target.ends_with(self.operation)
            && self
                .remaining
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                .is_ok()
        {
            request.set_uri(self.endpoint_url.as_str())?;
        }
        Ok(())
    }
}

/// A shop whose next requests for `operation` are answered with this error instead. The counter
/// says how many; it starts at none.
async fn shop(operation: &'static str, answer: Value) -> (Shop, Arc<AtomicU32>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint_url = format!("http://{}/", listener.local_addr().unwrap());
    let refuse = post(move || async move { (StatusCode::BAD_REQUEST, answer.to_string()) });
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", refuse)).await });

    let remaining = Arc::new(AtomicU32::new(0));
    let shop = Shop::open().await;
    let divert = Divert { operation, remaining: Arc::clone(&remaining), endpoint_url };
    let config = shop.client.config().to_builder().interceptor(divert).build();
    (Shop::over(aws_sdk_dynamodb::Client::from_conf(config), shop.dynamodb), remaining)
}

/// A shop whose next requests for `operation` are applied, and then answered with an error, as when
/// DynamoDB's answer is lost on the way.
async fn shop_that_loses_answers(operation: &'static str) -> (Shop, Arc<AtomicU32>) {
    shop_that_applies(operation, |body| body).await
}

/// The same, but what is applied is what `instead` makes of the request.
async fn shop_that_applies(
    operation: &'static str,
    instead: fn(String) -> String,
) -> (Shop, Arc<AtomicU32>) {
    let shop = Shop::open().await;
    let table_url = shop.dynamodb.endpoint_url().to_owned();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint_url = format!("http://{}/", listener.local_addr().unwrap());
    let apply = post(async move |headers: HeaderMap, body: String| {
        let request = reqwest::Client::new().post(table_url).headers(headers).body(instead(body));
        assert!(request.send().await.unwrap().status().is_success());
        StatusCode::INTERNAL_SERVER_ERROR
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", apply)).await });

    let remaining = Arc::new(AtomicU32::new(0));
    let divert = Divert { operation, remaining: Arc::clone(&remaining), endpoint_url };
    let config = shop.client.config().to_builder().interceptor(divert).build();
    (Shop::over(aws_sdk_dynamodb::Client::from_conf(config), shop.dynamodb), remaining)
}

fn cancelled(codes: &[&str]) -> Value {
    let reasons: Vec<Value> = codes.iter().map(|code| json!({ "Code": code })).collect();
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    })
}

const NO_END: u32 = 1000;

#[tokio::test]
async fn a_conflict_is_tried_again_and_the_order_is_placed_once() {
    let (shop, remaining) =
        shop("TransactWriteItems", cancelled(&["None", "None", "TransactionConflict"])).await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    remaining.store(3, Ordering::SeqCst);
    shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    assert_eq!(remaining.load(Ordering::SeqCst), 0, "three tries met a conflict");
    assert_eq!(shop.count("Order").await, 1);
    assert_eq!(shop.stock(&blend).await, Some(9));
}

#[tokio::test]
async fn a_conflict_that_does_not_end_is_given_up_with_nothing_written() {
    /// In all, whatever the operation decides around its transaction.
    const TRIES: u32 = 7;
    let (shop, remaining) = shop(
        "TransactWriteItems",
        cancelled(&["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]),
    )
    .await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let tries = async |operation: Pin<Box<dyn Future<Output = Option<Error>> + '_>>| {
        remaining.store(NO_END, Ordering::SeqCst);
        assert!(matches!(operation.await, Some(Error::Contention)));
        NO_END - remaining.swap(0, Ordering::SeqCst)
    };
    let changes = UserChanges { email: Some(email("anna@example.org")), ..UserChanges::default() };
    let place = Box::pin(async { shop.place(&anna, &[(&blend, 1)]).await.err() });
    assert_eq!(tries(place).await, TRIES);
    let update = Box::pin(async { shop.users.update(anna.id, changes, None).await.err() });
    assert_eq!(tries(update).await, TRIES);
    let delete = Box::pin(async { shop.users.delete(anna.id, None).await.err() });
    assert_eq!(tries(delete).await, TRIES);
    assert_eq!(shop.count("Order").await, 0);
    assert_eq!(shop.stock(&blend).await, Some(10));
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(anna));
}

#[tokio::test]
async fn a_reason_that_is_no_conflict_is_not_tried_again() {
    let (shop, remaining) =
        shop("TransactWriteItems", cancelled(&["TransactionConflict", "ValidationError"])).await;
    remaining.store(NO_END, Ordering::SeqCst);
    assert!(matches!(shop.register("anna@example.com").await, Err(Error::Refused(_))));
    assert_eq!(remaining.load(Ordering::SeqCst), NO_END - 1);
}

#[tokio::test]
async fn a_failed_condition_beside_a_conflict_decides() {
    let (shop, remaining) =
        shop("TransactWriteItems", cancelled(&["TransactionConflict", "ConditionalCheckFailed"]))
            .await;
    remaining.store(NO_END, Ordering::SeqCst);
    assert!(matches!(shop.register("anna@example.com").await, Err(Error::EmailTaken)));
    assert_eq!(remaining.load(Ordering::SeqCst), NO_END - 1);
}

#[tokio::test]
async fn a_single_update_that_meets_a_transaction_is_tried_again() {
    let conflict = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
        "Message": "Transaction is ongoing for the item",
    });
    let (shop, remaining) = shop("UpdateItem", conflict).await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    remaining.store(2, Ordering::SeqCst);
    let paid = shop
        .orders
        .change_status(OrderAccess::Any, order.id, becoming(OrderStatus::Paid))
        .await
        .unwrap();
    assert_eq!(paid.order.version, 2);
    assert_eq!(remaining.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn throttling_is_retried_by_the_sdk_and_then_reported_as_unavailable() {
    let throttled = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
        "Message": "The level of configured provisioned throughput was exceeded",
    });
    let (shop, remaining) = shop("GetItem", throttled).await;
    let anna = shop.anna().await;
    remaining.store(2, Ordering::SeqCst);
    assert!(shop.users.find(anna.id).await.unwrap().is_some());
    remaining.store(NO_END, Ordering::SeqCst);
    assert!(matches!(shop.users.find(anna.id).await, Err(Error::Unavailable(_))));
}

#[tokio::test]
async fn a_status_change_whose_answer_was_lost_is_not_refused() {
    let (shop, remaining) = shop_that_loses_answers("UpdateItem").await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    remaining.store(1, Ordering::SeqCst);
    let paid = shop
        .orders
        .change_status(
            OrderAccess::Any,
            order.id,
            StatusChange { expected: Some(1), ..becoming(OrderStatus::Paid) },
        )
        .await
        .unwrap();
    assert_eq!((paid.order.status, paid.order.version), (OrderStatus::Paid, 2));
    assert_eq!(remaining.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn the_same_change_of_the_same_moment_by_another_request_is_not_taken_for_ones_own() {
    let (shop, remaining) =
        shop_that_applies("UpdateItem", |body| body.replace("request-1", "request-2")).await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let pay = |id: &str| {
        let change =
            StatusChange { request_id: Some(id.parse().unwrap()), ..becoming(OrderStatus::Paid) };
        shop.orders.change_status(OrderAccess::Any, order.id, change)
    };
    remaining.store(1, Ordering::SeqCst);
    let first = pay("request-1").await;
    assert_eq!(remaining.load(Ordering::SeqCst), 0, "request-2 came first");
    assert!(matches!(
        first,
        Err(Error::InvalidStatusChange { from: OrderStatus::Paid, to: OrderStatus::Paid })
    ));
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_no_version_mismatch() {
    let (shop, remaining) = shop_that_loses_answers("UpdateItem").await;
    let blend = shop.product(100, 10).await;
    remaining.store(1, Ordering::SeqCst);
    let changes = ProductChanges { price: Some(200), ..ProductChanges::default() };
    let changed = shop.products.update(blend.id, changes.clone(), Some(1)).await.unwrap();
    assert_eq!((changed.price, changed.version), (200, 2));
    assert!(matches!(
        shop.products.update(blend.id, changes, Some(1)).await,
        Err(Error::VersionMismatch { current: 2 })
    ));
}

#[tokio::test]
async fn a_product_whose_creation_was_answered_to_nobody_is_created_once() {
    let (shop, remaining) = shop_that_loses_answers("PutItem").await;
    remaining.store(1, Ordering::SeqCst);
    let blend = shop.product(100, 10).await;
    assert_eq!(remaining.load(Ordering::SeqCst), 0);
    assert_eq!(shop.products.find(blend.id).await.unwrap(), Some(blend));
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_placed_once() {
    let (shop, remaining) = shop_that_loses_answers("TransactWriteItems").await;
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    remaining.store(1, Ordering::SeqCst);
    let placed = shop.place_as("k", &anna, &[(&blend, 1)]).await.unwrap();
    assert_eq!(remaining.load(Ordering::SeqCst), 0);
    assert_eq!(placed.order.items.len(), 1);
    assert_eq!(shop.count("Order").await, 1);
    assert_eq!(shop.stock(&blend).await, Some(9));
}
