//! The metrics that the function writes for CloudWatch.

use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storefront_http::MetricSink;
use storefront_testing::CapturedMetrics;

use crate::bus::{Answer, Bus};
use crate::records::{order, paid, paid_with, placed, record, refunded, sequence_number};
use crate::{all_delivered, consumer, failed_from, payload};

/// Returns the answer of a warm consumer to a batch, and what it counted.
async fn counted(bus: &Bus, records: &[Value]) -> (Value, Vec<Value>) {
    let metrics = CapturedMetrics::default();
    let consumer = consumer(bus).with_metrics(MetricSink::new("shop", metrics.clone()));
    let handle = async |records: &[Value]| {
        let mut context = Context::default();
        context.request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95".into();
        let batch = serde_json::from_str(&payload(records)).unwrap();
        let answer = consumer.handle(LambdaEvent::new(batch, context)).await;
        serde_json::to_value(answer).unwrap()
    };
    handle(&[]).await;
    let cold_start = line("Function", "order-events", "ColdStarts", 1);
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
        "function": "order-events",
        "request_id": "8f507cfc-xmpl-4697-b07a-ac58fc914c95",
        dimension: of,
        metric: value,
    })
}

fn events(kind: &str, count: u64) -> Value {
    line("Event", kind, "EventsPublished", count)
}

fn statuses(status: &str, count: u64) -> Value {
    line("Status", status, "StatusChangesPublished", count)
}

#[tokio::test]
async fn the_events_of_a_batch_are_counted_by_kind_and_changes_by_their_new_status() {
    let bus = Bus::start().await;
    let shipped = record("MODIFY", 3, &order(1, "paid", 2), &order(1, "shipped", 3));
    let batch = [placed(4), paid(1), paid(2), shipped, refunded(5)];

    let (answer, counted) = counted(&bus, &batch).await;

    assert_eq!(answer, all_delivered());
    let expected = [
        events("OrderPlaced", 1),
        events("OrderStatusChanged", 3),
        events("OrderPaymentChanged", 1),
        statuses("paid", 2),
        statuses("shipped", 1),
    ];
    assert_eq!(sorted(counted), sorted(expected.into()));
}

#[tokio::test]
async fn only_the_delivered_changes_of_a_failed_batch_are_counted() {
    let bus = Bus::scripted([Answer::Refuse(2, "InternalFailure")], Answer::Accept).await;

    let (answer, counted) = counted(&bus, &[paid(1), paid(2), paid(3), paid(4)]).await;

    assert_eq!(answer, failed_from(sequence_number(3)));
    let expected = [events("OrderStatusChanged", 2), statuses("paid", 2)];
    assert_eq!(sorted(counted), sorted(expected.into()));
}

#[tokio::test]
async fn records_that_are_put_aside_are_counted() {
    let bus = Bus::start().await;
    let unreadable = paid_with(1, "/dynamodb/NewImage/total", None);

    let (answer, counted) = counted(&bus, &[unreadable.clone(), unreadable]).await;

    assert_eq!(answer, all_delivered());
    let [line] = &counted[..] else { panic!("one line: {counted:?}") };
    assert_eq!(line["RecordsPutAside"], 2);
    assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([[]]));
}

#[tokio::test]
async fn a_batch_without_an_event_counts_nothing() {
    let bus = Bus::start().await;

    let remove = record("REMOVE", 1, &order(1, "pending", 1), &json!({}));

    assert_eq!(counted(&bus, &[remove]).await, (all_delivered(), Vec::new()));
}

fn sorted(mut lines: Vec<Value>) -> Vec<Value> {
    lines.sort_by_key(Value::to_string);
    lines
}
