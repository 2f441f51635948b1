//! The repository's example events, with which a user invokes the function first.

use std::path::Path;

use lambda_runtime::Context;
use serde_json::{Value, json};

use crate::bus::{Bus, detail};
use crate::{all_delivered, handle_payload};

async fn handle_example(bus: &Bus, name: &str) -> (Value, Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/order-status-stream");
    let payload = std::fs::read_to_string(folder.join(name)).unwrap();
    let answer = handle_payload(bus, &payload, Context::default()).await;
    (answer, serde_json::from_str(&payload).unwrap())
}

#[tokio::test]
async fn every_record_of_the_status_change_example_is_published() {
    let bus = Bus::start().await;

    let (answer, batch) = handle_example(&bus, "status-change.json").await;

    assert_eq!(answer, all_delivered());
    let published: Vec<_> = bus.accepted().iter().map(detail).collect();
    let records = batch["Records"].as_array().unwrap();
    assert_eq!(published.len(), records.len());
    for (detail, record) in published.iter().zip(records) {
        let order = &record["dynamodb"]["NewImage"];
        assert_eq!(detail["orderId"], order["id"]["S"]);
        assert_eq!(detail["status"], order["status"]["S"]);
    }
}

#[tokio::test]
async fn the_example_without_a_status_change_publishes_nothing() {
    let bus = Bus::start().await;

    let (answer, _) = handle_example(&bus, "no-status-change.json").await;

    assert_eq!(answer, all_delivered());
    assert!(bus.calls().is_empty());
}

#[tokio::test]
async fn the_example_with_a_poison_record_names_it_after_publishing_the_records_before_it() {
    let bus = Bus::start().await;

    let (answer, batch) = handle_example(&bus, "poison-in-the-middle.json").await;

    let poison = &batch["Records"][1]["dynamodb"]["SequenceNumber"];
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": poison }] }));
    let [entry] = &bus.accepted()[..] else { panic!("one event") };
    let first = &batch["Records"][0]["dynamodb"]["NewImage"]["id"]["S"];
    assert_eq!(detail(entry)["orderId"], *first);
}
