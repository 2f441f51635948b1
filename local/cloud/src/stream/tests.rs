//! Tests the trigger with a real stream and a consumer with injected faults.

mod filters;
mod redelivery;
mod several;
mod stock;
mod support;

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use support::*;

#[tokio::test]
async fn records_are_delivered_in_order_in_batches_of_the_mappings_size() {
    let setup = Setup::new().await;
    for key in ["a", "b", "c", "d", "e"] {
        setup.put(key);
    }
    let consumer = Consumer::default();
    let _trigger = setup.start(mapping(|mapping| mapping.batch_size = 2), &consumer);
    consumer.expect(&[&["a", "b"], &["c", "d"], &["e"]]).await;
    setup.put("f");
    consumer.expect(&[&["a", "b"], &["c", "d"], &["e"], &["f"]]).await;
}

#[tokio::test]
async fn the_event_has_the_form_of_a_dynamodb_stream_event() {
    let setup = Setup::new().await;
    setup.put("a");
    let consumer = Consumer::default();
    let _trigger = setup.start(mapping(|_| {}), &consumer);
    consumer.expect(&[&["a"]]).await;
    let record = consumer.first_event()["Records"][0].clone();
    let item = json!({ "PK": { "S": "a" }, "SK": { "S": "METADATA" } });
    assert_eq!(
        (&record["eventName"], &record["eventSource"], &record["eventVersion"]),
        (&json!("INSERT"), &json!("aws:dynamodb"), &json!("1.1"))
    );
    assert_eq!((&record["dynamodb"]["Keys"], &record["dynamodb"]["NewImage"]), (&item, &item));
    assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    assert!(record["dynamodb"]["ApproximateCreationDateTime"].is_i64());
    assert!(record["eventID"].is_string());
    assert!(record["eventSourceARN"].as_str().unwrap().contains("/stream/"));
}

#[tokio::test]
async fn only_matching_records_invoke_the_consumer() {
    let setup = Setup::new().await;
    let order = |key: &str, status: &str| {
        json!({
            "PK": { "S": key }, "SK": { "S": "ORDER" },
            "_type": { "S": "Order" }, "status": { "S": status },
        })
    };
    setup.put("user");
    setup.put_item(&order("order", "pending"));
    setup.put("user");
    setup.put_item(&order("order", "paid"));
    let consumer = Consumer::default();
    let filters = template_mapping().filters;
    let _trigger = setup.start(mapping(|mapping| mapping.filters = filters), &consumer);
    consumer.expect(&[&["order", "order"]]).await;
    let [placed, changed] = [0, 1].map(|n| consumer.first_event()["Records"][n].clone());
    assert_eq!(placed["eventName"], "INSERT");
    assert_eq!(changed["eventName"], "MODIFY");
    assert_eq!(changed["dynamodb"]["OldImage"]["status"]["S"], "pending");
}

#[tokio::test]
async fn a_batching_window_waits_for_more_records() {
    let setup = Setup::new().await;
    setup.put("a");
    let consumer = Consumer::default();
    let wait = |mapping: &mut StreamMapping| {
        mapping.batch_size = 2;
        mapping.batching_window = Duration::from_mins(1);
    };
    let _trigger = setup.start(mapping(wait), &consumer);
    // Only waiting can show that nothing happens.
    tokio::time::sleep(PACE.poll * 4).await;
    assert!(consumer.batches().is_empty());
    setup.put("b");
    consumer.expect(&[&["a", "b"]]).await;
}

#[tokio::test]
async fn records_before_a_reported_failure_are_not_delivered_again() {
    let setup = Setup::new().await;
    for key in ["a", "b", "c"] {
        setup.put(key);
    }
    let consumer =
        Consumer::default().with_fault("b", Fault::Report, 1).with_fault("c", Fault::Report, 1);
    let _trigger = setup.start(mapping(|_| {}), &consumer);
    consumer.expect(&[&["a", "b", "c"], &["b", "c"]]).await;
}

#[tokio::test]
async fn reported_failures_are_ignored_unless_the_mapping_enables_them() {
    let setup = Setup::new().await;
    setup.put("a");
    let consumer = Consumer::default().with_fault("a", Fault::Report, 1);
    let _trigger =
        setup.start(mapping(|mapping| mapping.report_batch_item_failures = false), &consumer);
    consumer.expect(&[&["a"]]).await;
    setup.put("b");
    consumer.expect(&[&["a"], &["b"]]).await;
}

#[tokio::test]
async fn an_error_and_a_timeout_are_retried() {
    let setup = Setup::new().await;
    setup.put("a");
    let consumer =
        Consumer::default().with_fault("a", Fault::Fail, 1).with_fault("a", Fault::Hang, 1);
    let _trigger = setup.start(mapping(|_| {}), &consumer);
    consumer.expect(&[&["a"], &["a"], &["a"]]).await;
}

#[tokio::test]
async fn a_failed_batch_is_bisected_until_the_bad_record_is_alone() {
    let setup = Setup::new().await;
    for key in ["a", "b", "bad", "d"] {
        setup.put(key);
    }
    let consumer = Consumer::default().with_fault("bad", Fault::Fail, 100);
    let _trigger = setup.start(mapping(|_| {}), &consumer);
    consumer
        .expect(&[
            &["a", "b", "bad", "d"],
            &["a", "b"],
            &["bad", "d"],
            &["bad"],
            &["bad"],
            &["bad"],
            &["d"],
        ])
        .await;
}

#[tokio::test]
async fn a_record_that_keeps_failing_is_kept_and_does_not_block_those_behind_it() {
    let setup = Setup::new().await;
    for key in ["a", "bad", "c", "d"] {
        setup.put(key);
    }
    let consumer = Consumer::default().with_fault("bad", Fault::Report, 100);
    let _trigger = setup.start(mapping(|_| {}), &consumer);
    consumer
        .expect(&[
            &["a", "bad", "c", "d"],
            &["bad", "c", "d"],
            &["bad"],
            &["bad"],
            &["bad"],
            &["c", "d"],
        ])
        .await;

    let documents = setup.failed_records(1).await;
    assert_eq!(documents.len(), 1);
    let document = &documents[0];
    assert_eq!(document["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(
        document["responseContext"],
        json!({ "statusCode": 200, "executedVersion": "$LATEST" })
    );
    let batch = &document["DDBStreamBatchInfo"];
    assert_eq!(batch["batchSize"], 1);
    let payload: Value = serde_json::from_str(document["payload"].as_str().unwrap()).unwrap();
    let records = payload["Records"].as_array().unwrap();
    assert_eq!(records.iter().map(key).collect::<Vec<_>>(), ["bad"]);
    assert_eq!(batch["startSequenceNumber"], records[0]["dynamodb"]["SequenceNumber"]);
}

#[tokio::test]
async fn without_bisection_the_whole_batch_is_given_up() {
    let setup = Setup::new().await;
    setup.put("bad");
    setup.put("b");
    let consumer = Consumer::default().with_fault("bad", Fault::Fail, 100);
    let whole = |mapping: &mut StreamMapping| {
        mapping.bisect = false;
        mapping.maximum_retry_attempts = Some(1);
    };
    let _trigger = setup.start(mapping(whole), &consumer);
    consumer.expect(&[&["bad", "b"], &["bad", "b"]]).await;
    let documents = setup.failed_records(1).await;
    assert_eq!(documents[0]["DDBStreamBatchInfo"]["batchSize"], 2);
    assert_eq!(documents[0]["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(documents[0]["responseContext"]["functionError"], "Unhandled");
}

#[tokio::test]
async fn a_record_that_is_too_old_is_given_up_without_an_invocation() {
    let setup = Setup::new().await;
    setup.put("old");
    let consumer = Consumer::default();
    let age = |mapping: &mut StreamMapping| mapping.maximum_record_age = Some(Duration::ZERO);
    let _trigger = setup.start(mapping(age), &consumer);
    let documents = setup.failed_records(1).await;
    assert_eq!(documents[0]["requestContext"]["condition"], "RecordAgeExceeded");
    assert!(consumer.batches().is_empty());
}

#[tokio::test]
async fn without_an_on_failure_destination_failed_records_are_discarded() {
    let setup = Setup::new().await;
    for key in ["bad", "b"] {
        setup.put(key);
    }
    let consumer = Consumer::default().with_fault("bad", Fault::Fail, 100);
    let no_destination = |mapping: &mut StreamMapping| {
        mapping.maximum_retry_attempts = Some(0);
        mapping.failure_bucket = None;
    };
    let _trigger = setup.start(mapping(no_destination), &consumer);
    consumer.expect(&[&["bad", "b"], &["bad"], &["b"]]).await;
    assert!(!setup.folder.path().join("failed-records").exists());
}

#[tokio::test]
async fn a_record_that_could_not_be_kept_is_delivered_again_by_the_next_run() {
    let setup = Setup::new().await;
    setup.put("bad");
    // With a file in place of the folder, nothing can be kept.
    let in_the_way = setup.folder.path().join("failed-records");
    std::fs::write(&in_the_way, "").unwrap();
    let consumer = Consumer::default().with_fault("bad", Fault::Fail, 100);
    let no_retry = |mapping: &mut StreamMapping| mapping.maximum_retry_attempts = Some(0);
    let trigger = setup.start(mapping(no_retry), &consumer);
    consumer.expect(&[&["bad"]]).await;
    trigger.shutdown().await;

    std::fs::remove_file(&in_the_way).unwrap();
    let consumer = Consumer::default();
    let _trigger = setup.start(mapping(|_| {}), &consumer);
    consumer.expect(&[&["bad"]]).await;
}

#[tokio::test]
async fn records_that_cannot_be_read_at_first_are_not_skipped() {
    let setup = Setup::new().await;
    for key in ["a", "b"] {
        setup.put(key);
    }
    let consumer = Consumer::default();
    let _trigger = setup.start_reading(setup.failing_once_at("b"), mapping(|_| {}), &consumer);
    consumer.expect(&[&["a", "b"]]).await;
}

#[tokio::test]
async fn records_read_before_a_failed_read_are_delivered() {
    let setup = Setup::new().await;
    let shard = setup.failing_once_at("b");
    let has_read = Arc::clone(&shard.has_read);
    let consumer = Consumer::default();
    let wait = |mapping: &mut StreamMapping| {
        mapping.batch_size = 2;
        mapping.batching_window = Duration::from_mins(1);
    };
    let _trigger = setup.start_reading(shard, mapping(wait), &consumer);
    setup.put("a");
    tokio::time::timeout(Duration::from_secs(5), has_read.notified()).await.unwrap();
    setup.put("b");
    consumer.expect(&[&["a"]]).await;
    setup.put("c");
    consumer.expect(&[&["a"], &["b", "c"]]).await;
}

#[tokio::test]
async fn a_run_starts_where_the_last_one_ended() {
    let setup = Setup::new().await;
    setup.put("a");
    let consumer = Consumer::default();
    let trigger = setup.start(mapping(|_| {}), &consumer);
    consumer.expect(&[&["a"]]).await;
    trigger.shutdown().await;

    setup.put("b");
    let consumer = Consumer::default();
    let _trigger = setup.start(mapping(|_| {}), &consumer);
    consumer.expect(&[&["b"]]).await;
}

#[tokio::test]
async fn unacknowledged_records_are_delivered_by_the_next_run() {
    let setup = Setup::new().await;
    for key in ["a", "b", "c"] {
        setup.put(key);
    }
    let consumer =
        Consumer::default().with_fault("b", Fault::Report, 1).with_fault("b", Fault::Hang, 1);
    let trigger = setup.start(mapping(|_| {}), &consumer);
    consumer.expect(&[&["a", "b", "c"], &["b", "c"]]).await;
    // Like SIGKILL, at any point of its work.
    trigger.worker.abort();

    let consumer = Consumer::default();
    let _trigger = setup.start(mapping(|_| {}), &consumer);
    consumer.expect(&[&["b", "c"]]).await;
}
