//! The metrics that the function writes for CloudWatch.

use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storefront_core::aws;
use storefront_http::MetricSink;
use storefront_order_status_stream::{Consumer, eventbridge};
use storefront_testing::CapturedMetrics;

use crate::bus::{Answer, Bus};
use crate::records::{order, paid, record, sequence_number};
use crate::{BUS_NAME, all_delivered, failed_from, payload};

/// Returns the answer of a warm consumer to a batch, and what it counted.
async fn counted(bus: &Bus, records: &[Value]) -> (Value, Vec<Value>) {
    let metrics = CapturedMetrics::default();
    let client = eventbridge(&aws::emulator_config(), Some(bus.url.clone()));
    let consumer =
        Consumer::new(client, BUS_NAME).with_metrics(MetricSink::new("shop", metrics.clone()));
    let handle = async |records: &[Value]| {
        let mut context = Context::default();
        context.request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95".into();
        let batch = serde_json::from_str(&payload(records)).unwrap();
        let answer = consumer.handle(LambdaEvent::new(batch, context)).await.unwrap();
        serde_json::to_value(answer).unwrap()
    };
    handle(&[]).await;
    let cold_start = line("Function", "order-status-stream", "ColdStarts", 1);
    assert_eq!(metrics.take(), [cold_start]);
    (handle(records).await, metrics.take())
}

fn line(dimension: &str, of: &str, metric: &str, value: u64) -> Value {
    json!({
        "_aws": { "CloudWatchMetrics": [{
            "Namespace": "shop",
            "Dimensions": [[dimension]],
            "Metrics": [{ "Name": metric, "Unit": "Count" }],
        }] },
        "function": "order-status-stream",
        "request_id": "8f507cfc-xmpl-4697-b07a-ac58fc914c95",
        dimension: of,
        metric: value,
    })
}

fn published(status: &str, count: u64) -> Value {
    line("Status", status, "StatusChangesPublished", count)
}

#[tokio::test]
async fn the_changes_of_a_batch_are_counted_by_their_new_status() {
    let bus = Bus::start().await;
    let shipped = record("MODIFY", 3, &order(1, "paid", 2), &order(1, "shipped", 3));
    let batch = [paid(1), paid(2), shipped];

    let (answer, counted) = counted(&bus, &batch).await;

    assert_eq!(answer, all_delivered());
    assert_eq!(counted, [published("paid", 2), published("shipped", 1)]);
}

#[tokio::test]
async fn only_the_delivered_changes_of_a_failed_batch_are_counted() {
    let bus = Bus::scripted([Answer::Refuse(2, "InternalFailure")], Answer::Accept).await;

    let (answer, counted) = counted(&bus, &[paid(1), paid(2), paid(3), paid(4)]).await;

    assert_eq!(answer, failed_from(sequence_number(3)));
    assert_eq!(counted, [published("paid", 2)]);
}

#[tokio::test]
async fn a_batch_without_a_change_counts_nothing() {
    let bus = Bus::start().await;

    let insert = record("INSERT", 1, &json!({}), &order(1, "pending", 1));

    assert_eq!(counted(&bus, &[insert]).await, (all_delivered(), Vec::new()));
}
