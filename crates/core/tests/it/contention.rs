//! How the repositories handle conflicts, throttling and lost answers. The embedded DynamoDB has
//! none of these, so they are injected.

use std::pin::Pin;

use serde_json::{Value, json};
use storefront_core::schema::ItemType;
use storefront_core::{
    Error, MAX_LOGIN_FAILURES, OrderAccess, OrderStatus, ProductChanges, StatusChange, UserChanges,
};
use storefront_testing::faults::Fault;

use crate::shop::{Shop, attempt, becoming, email};

/// A transaction that was cancelled for these reasons, one for each action.
pub(crate) fn cancelled(codes: &[&str]) -> Value {
    let reasons: Vec<Value> = codes.iter().map(|code| json!({ "Code": code })).collect();
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    })
}

const TRANSACTION: &str = "TransactWriteItems";
const NO_END: u32 = 1000;

#[tokio::test(start_paused = true)]
async fn a_conflict_is_retried_and_the_order_is_placed_once() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    plan.next(TRANSACTION, 3, Fault::Conflict);
    shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    assert_eq!(plan.remaining(), 0, "three tries met a conflict");
    assert_eq!(shop.count(ItemType::Order).await, 1);
    assert_eq!(shop.stock(&blend).await, Some(9));
}

#[tokio::test(start_paused = true)]
async fn retries_of_a_persistent_conflict_end_with_nothing_written() {
    /// In total, whatever the operation decides around its transaction.
    const TRIES: u32 = 7;
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    let tries = async |operation: Pin<Box<dyn Future<Output = Option<Error>> + '_>>| {
        let codes = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
        plan.answer_next(TRANSACTION, NO_END, cancelled(&codes));
        assert!(matches!(operation.await, Some(Error::Contention)));
        NO_END - plan.stop()
    };
    let changes = UserChanges { email: Some(email("anna@example.org")), ..UserChanges::default() };
    let place = Box::pin(async { shop.place(&anna, &[(&blend, 1)]).await.err() });
    assert_eq!(tries(place).await, TRIES);
    let update = Box::pin(async { shop.users.update(anna.id, changes, None).await.err() });
    assert_eq!(tries(update).await, TRIES);
    let delete = Box::pin(async { shop.users.delete(anna.id, None).await.err() });
    assert_eq!(tries(delete).await, TRIES);
    let pay = Box::pin(async {
        let pay = becoming(OrderStatus::Paid);
        shop.orders.change_status(OrderAccess::Any, order.id, pay).await.err()
    });
    assert_eq!(tries(pay).await, TRIES);
    assert_eq!(shop.count(ItemType::Order).await, 1);
    assert_eq!(shop.stock(&blend).await, Some(9));
    assert_eq!(shop.users.find(anna.id).await.unwrap(), Some(anna));
}

#[tokio::test(start_paused = true)]
async fn a_reason_other_than_a_conflict_is_not_retried() {
    let (shop, plan) = Shop::with_faults();
    let codes = ["TransactionConflict", "ValidationError"];
    plan.answer_next(TRANSACTION, NO_END, cancelled(&codes));
    assert!(matches!(shop.register("anna@example.com").await, Err(Error::Refused(_))));
    assert_eq!(plan.remaining(), NO_END - 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_condition_outranks_a_conflict() {
    let (shop, plan) = Shop::with_faults();
    let codes = ["TransactionConflict", "ConditionalCheckFailed"];
    plan.answer_next(TRANSACTION, NO_END, cancelled(&codes));
    assert!(matches!(shop.register("anna@example.com").await, Err(Error::EmailTaken)));
    assert_eq!(plan.remaining(), NO_END - 1);
}

#[tokio::test(start_paused = true)]
async fn throttling_is_retried_by_the_sdk_and_then_reported_as_unavailable() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    plan.next("GetItem", 1, Fault::ThroughputExceeded);
    plan.next("GetItem", 1, Fault::Throttled);
    assert!(shop.users.find(anna.id).await.unwrap().is_some());
    assert_eq!(plan.remaining(), 0);
    plan.next("GetItem", NO_END, Fault::ThroughputExceeded);
    assert!(matches!(shop.users.find(anna.id).await, Err(Error::Unavailable(_))));
}

#[tokio::test(start_paused = true)]
async fn the_unprocessed_part_of_a_batch_is_read_again() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    let products =
        [shop.product(100, 10).await, shop.product(20, 10).await, shop.product(3, 10).await];
    // Reads one of three, then one of two, then the last.
    plan.next("BatchGetItem", 2, Fault::Unprocessed);
    let order = shop.place(&anna, &products.each_ref().map(|product| (product, 1))).await.unwrap();
    assert_eq!((order.total, plan.remaining()), (123, 0));
}

/// The ways in which a client can lose the answer to a write.
const LOST_ANSWERS: [Fault; 3] =
    [Fault::AppliedServerError, Fault::AppliedReset, Fault::TruncatedBody];

#[tokio::test(start_paused = true)]
async fn a_status_change_whose_answer_was_lost_is_not_rejected() {
    for fault in LOST_ANSWERS {
        let (shop, plan) = Shop::with_faults();
        let anna = shop.anna().await;
        let blend = shop.product(100, 10).await;
        let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
        plan.next(TRANSACTION, 1, fault);
        let pay = StatusChange { expected: Some(1), ..becoming(OrderStatus::Paid) };
        let paid = shop.orders.change_status(OrderAccess::Any, order.id, pay).await.unwrap();
        assert_eq!((paid.order.status, paid.order.version), (OrderStatus::Paid, 2));
        assert_eq!(plan.remaining(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_identical_changes_by_different_requests_one_is_made() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    let order = shop.place(&anna, &[(&blend, 1)]).await.unwrap();
    plan.precede_next(TRANSACTION, |mut same| {
        same["ClientRequestToken"] = "another request's".into();
        same
    });
    let pay = becoming(OrderStatus::Paid);
    let paid = shop.orders.change_status(OrderAccess::Any, order.id, pay).await.unwrap();
    assert_eq!(plan.remaining(), 0, "another request came first");
    assert_eq!((paid.order.status, paid.order.version), (OrderStatus::Paid, 2));
    let at_first = StatusChange { expected: Some(1), ..becoming(OrderStatus::Paid) };
    let late = shop.orders.change_status(OrderAccess::Any, order.id, at_first).await;
    assert!(matches!(late, Err(Error::VersionMismatch { current: 2 })), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_was_lost_is_made_once_and_is_not_a_version_mismatch() {
    for fault in LOST_ANSWERS {
        let (shop, plan) = Shop::with_faults();
        let blend = shop.product(100, 10).await;
        let changes = ProductChanges { price: Some(200), ..ProductChanges::default() };
        plan.next(TRANSACTION, 1, fault);
        let changed = shop.products.update(blend.id, changes.clone(), Some(1)).await.unwrap();
        assert_eq!((changed.product.price, changed.product.version), (200, 2));
        assert!(matches!(
            shop.products.update(blend.id, changes.clone(), Some(1)).await,
            Err(Error::VersionMismatch { current: 2 })
        ));
        plan.next(TRANSACTION, 2, fault);
        let changed = shop.products.update(blend.id, changes, None).await.unwrap();
        assert_eq!((changed.product.version, plan.remaining()), (3, 0));
        let anna = shop.anna().await;
        plan.next(TRANSACTION, 1, fault);
        let changes = UserChanges { name: Some("A.".parse().unwrap()), ..UserChanges::default() };
        assert_eq!(shop.users.update(anna.id, changes, None).await.unwrap().version, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_product_is_created_and_deleted_once_even_if_the_answers_are_lost() {
    for fault in LOST_ANSWERS {
        let (shop, plan) = Shop::with_faults();
        plan.next(TRANSACTION, 1, fault);
        let blend = shop.product(100, 10).await;
        assert_eq!(shop.found(&blend).await, blend);
        plan.next(TRANSACTION, 1, fault);
        shop.products.delete(blend.id, Some(1)).await.unwrap();
        assert_eq!(plan.remaining(), 0);
        assert!(matches!(shop.products.delete(blend.id, None).await, Err(Error::ProductNotFound)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_answer_was_lost_is_placed_once() {
    for fault in LOST_ANSWERS {
        let (shop, plan) = Shop::with_faults();
        let anna = shop.anna().await;
        let blend = shop.product(100, 10).await;
        plan.next(TRANSACTION, 1, fault);
        let placed = shop.place_as("k", &anna, &[(&blend, 1)]).await.unwrap();
        assert_eq!(plan.remaining(), 0);
        assert_eq!(placed.value.items.len(), 1);
        assert_eq!(shop.count(ItemType::Order).await, 1);
        assert_eq!(shop.stock(&blend).await, Some(9));
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_whose_first_try_is_still_in_progress_is_placed_once() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    let blend = shop.product(100, 10).await;
    plan.next(TRANSACTION, 1, Fault::LateWrite);
    let placed = shop.place_as("k", &anna, &[(&blend, 1)]).await.unwrap();
    assert!(!placed.replayed);
    assert_eq!((shop.count(ItemType::Order).await, shop.stock(&blend).await), (1, Some(9)));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_took_the_last_of_the_stock_is_found_again_by_its_key() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    let blend = shop.product(100, 1).await;
    shop.place_as("k", &anna, &[(&blend, 1)]).await.unwrap();
    // As if that order were just being written: a batch is not a snapshot, so it may read the key
    // before the write and the stock after it.
    plan.lose_from_next("BatchGetItem", 2, ItemType::Idempotency.as_str());
    let placed = shop.place_as("k", &anna, &[(&blend, 1)]).await.unwrap();
    assert!(placed.replayed);
    assert_eq!(plan.remaining(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_log_in_attempt_whose_answer_was_lost_counts_once() {
    let (shop, plan) = Shop::with_faults();
    let anna = email("anna@example.com");
    for _ in 0..MAX_LOGIN_FAILURES {
        plan.next("UpdateItem", 2, Fault::AppliedReset);
        shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
    }
    assert!(matches!(
        shop.login_attempts.begin(&attempt(&anna)).await,
        Err(Error::TooManyLogins { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn a_log_in_that_could_not_be_counted_does_not_count() {
    let (shop, plan) = Shop::with_faults();
    let anna = email("anna@example.com");
    for _ in 0..=MAX_LOGIN_FAILURES {
        plan.next("UpdateItem", 4, Fault::AppliedServerError);
        assert!(matches!(
            shop.login_attempts.begin(&attempt(&anna)).await,
            Err(Error::Unavailable(_))
        ));
        assert_eq!(plan.remaining(), 0);
    }
    shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
}
