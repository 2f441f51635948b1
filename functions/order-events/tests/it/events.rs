//! The repository's example events, with which a user invokes the function first.

use std::path::Path;

use lambda_runtime::Context;
use serde_json::Value;

use crate::bus::{Bus, detail};
use crate::{all_delivered, handle_payload};

async fn handle_example(bus: &Bus, name: &str) -> (Value, Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/order-events");
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
async fn the_example_of_writes_that_are_no_events_publishes_nothing() {
    let bus = Bus::start().await;

    let (answer, _) = handle_example(&bus, "no-event.json").await;

    assert_eq!(answer, all_delivered());
    assert!(bus.calls().is_empty());
}

#[tokio::test]
async fn the_example_with_an_unreadable_record_puts_it_aside_and_publishes_the_others() {
    let bus = Bus::start().await;

    let (answer, batch) = handle_example(&bus, "poison-in-the-middle.json").await;

    assert_eq!(answer, all_delivered());
    let unreadable = vec![batch["Records"][1].clone()];
    assert_eq!(bus.bucket.put_aside(), [("RecordUnreadable".to_owned(), unreadable)]);
    let orders: Vec<_> =
        bus.accepted().iter().map(|entry| detail(entry)["orderId"].clone()).collect();
    let order = |record: usize| &batch["Records"][record]["dynamodb"]["NewImage"]["id"]["S"];
    assert_eq!(orders.iter().collect::<Vec<_>>(), [order(0), order(2)]);
}

#[tokio::test]
async fn the_example_of_a_migrated_order_publishes_only_the_shops_own_change() {
    let bus = Bus::start().await;

    let (answer, _) = handle_example(&bus, "migrated-order.json").await;

    assert_eq!(answer, all_delivered());
    let [entry] = &bus.accepted()[..] else { panic!("one event") };
    assert_eq!(detail(entry)["status"], "shipped");
}
