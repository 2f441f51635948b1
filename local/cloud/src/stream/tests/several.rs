//! Several consumers of one stream.

use serde_json::{Value, json};
use storefront_testing::CapturedLog;

use super::super::source::Shard as _;
use super::super::*;
use super::support::*;

const FIRST: &str = "OrderStatusStreamFunction";
const SECOND: &str = "StockStreamFunction";

/// Returns the mapping of one of two consumers, with one record per batch.
fn mapping_of(function: &str, change: impl FnOnce(&mut StreamMapping)) -> StreamMapping {
    mapping(|mapping| {
        mapping.function = function.to_owned();
        mapping.batch_size = 1;
        change(mapping);
    })
}

#[tokio::test]
async fn a_blocked_consumer_does_not_hold_up_another_and_each_resumes_at_its_own_place() {
    let setup = Setup::new().await;
    for key in ["a", "b"] {
        setup.put(key);
    }
    let first = Consumer::default();
    let blocked = Consumer::default().with_fault("b", Fault::Fail, 100_000);
    let forever = |mapping: &mut StreamMapping| {
        mapping.maximum_retry_attempts = None;
        mapping.maximum_record_age = None;
    };
    let triggers = [
        setup.start(mapping_of(FIRST, |_| {}), &first),
        setup.start(mapping_of(SECOND, forever), &blocked),
    ];
    blocked.invoked(5).await;
    first.expect(&[&["a"], &["b"]]).await;
    setup.put("c");
    first.expect(&[&["a"], &["b"], &["c"]]).await;
    for trigger in triggers {
        trigger.shutdown().await;
    }
    let mut tried = blocked.batches();
    tried.dedup();
    assert_eq!(tried, [["a"], ["b"]], "nothing behind the record that it cannot process");

    setup.put("d");
    let (first, second) = (Consumer::default(), Consumer::default());
    let _triggers = [
        setup.start(mapping_of(FIRST, |_| {}), &first),
        setup.start(mapping_of(SECOND, forever), &second),
    ];
    first.expect(&[&["d"]]).await;
    second.expect(&[&["b"], &["c"], &["d"]]).await;
}

#[tokio::test]
async fn each_consumer_keeps_its_own_failed_records() {
    let setup = Setup::new().await;
    for key in ["bad", "worse", "good"] {
        setup.put(key);
    }
    let first = Consumer::default().with_fault("bad", Fault::Fail, 1);
    let second = Consumer::default().with_fault("worse", Fault::Report, 1);
    let no_retry = |mapping: &mut StreamMapping| mapping.maximum_retry_attempts = Some(0);
    let _triggers = [
        setup.start(mapping_of(FIRST, no_retry), &first),
        setup.start(mapping_of(SECOND, no_retry), &second),
    ];
    for consumer in [&first, &second] {
        consumer.expect(&[&["bad"], &["worse"], &["good"]]).await;
    }
    for (function, failed) in [(FIRST, "bad"), (SECOND, "worse")] {
        let documents = setup.failed_records_of(function, 1).await;
        assert_eq!(documents.len(), 1, "{function}");
        let arn = documents[0]["requestContext"]["functionArn"].as_str().unwrap();
        assert!(arn.ends_with(&format!(":function:{function}")), "{arn}");
        let payload = documents[0]["payload"].as_str().unwrap();
        let payload: Value = serde_json::from_str(payload).unwrap();
        assert_eq!(key(&payload["Records"][0]), failed);
    }
}

#[tokio::test]
async fn the_checkpoint_of_an_older_version_belongs_to_the_consumer_that_wrote_it() {
    let setup = Setup::new().await;
    for key in ["a", "b"] {
        setup.put(key);
    }
    let shard = setup.shard();
    let acknowledged = shard.after(None).unwrap()[0].sequence_number.clone();
    let checkpoint = json!({ "streamArn": shard.stream_arn(), "sequenceNumber": acknowledged });
    let file = setup.folder.path().join("stream-checkpoint.json");
    std::fs::write(file, checkpoint.to_string()).unwrap();

    let (first, second) = (Consumer::default(), Consumer::default());
    let _triggers = [
        setup.start(mapping_of(FIRST, |_| {}), &first),
        setup.start(mapping_of(SECOND, |_| {}), &second),
    ];
    first.expect(&[&["b"]]).await;
    second.expect(&[&["a"], &["b"]]).await;
}

#[tokio::test]
async fn a_failure_in_the_log_names_its_consumer() {
    let setup = Setup::new().await;
    let log = CapturedLog::start();
    setup.put("bad");
    let first = Consumer::default();
    let second = Consumer::default().with_fault("bad", Fault::Fail, 1);
    let _triggers = [
        setup.start(mapping_of(FIRST, |_| {}), &first),
        setup.start(mapping_of(SECOND, |_| {}), &second),
    ];
    second.expect(&[&["bad"], &["bad"]]).await;
    let said = log.text();
    let failures: Vec<_> = said.lines().filter(|line| line.contains("on purpose")).collect();
    assert!(!failures.is_empty(), "{said}");
    assert!(failures.iter().all(|line| line.contains(SECOND)), "{failures:?}");
}
