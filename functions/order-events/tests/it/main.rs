//! The function, called as the event source mapping calls it, against an EventBridge endpoint on
//! the loopback interface that speaks `PutEvents` to the real SDK client.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bucket;
mod bus;
mod decoding;
mod delivery;
mod events;
mod kinds;
mod logs;
mod metrics;
mod process;
mod put_aside;
mod records;

use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storefront_core::aws;
use storefront_order_events::{Bucket, Consumer, StreamBatch, eventbridge};
use storefront_testing::evidence;

use bucket::BUCKET_NAME;
use bus::Bus;

const BUS_NAME: &str = "storefront-events";

/// The function's answer to a batch, as JSON.
async fn handle(bus: &Bus, records: &[Value]) -> Value {
    handle_payload(bus, &payload(records), Context::default()).await
}

/// The same, in an invocation that has this much time left.
async fn handle_within(bus: &Bus, time: Duration, records: &[Value]) -> Value {
    let end = SystemTime::now() + time;
    let mut context = Context::default();
    context.deadline =
        end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap();
    handle_payload(bus, &payload(records), context).await
}

async fn handle_payload(bus: &Bus, payload: &str, context: Context) -> Value {
    evidence::start();
    let batch: StreamBatch = serde_json::from_str(payload).unwrap();
    let answer = consumer(bus).handle(LambdaEvent::new(batch, context)).await;
    serde_json::to_value(answer).unwrap()
}

/// A consumer that reaches this bus, and the bucket at it.
fn consumer(bus: &Bus) -> Consumer {
    let config = aws::emulator_config();
    let url = Some(bus.url.clone());
    let bucket = Bucket::new(&config, url.clone(), BUCKET_NAME);
    Consumer::new(eventbridge(&config, url), BUS_NAME, bucket)
}

fn payload(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// The answer that acknowledges the whole batch.
fn all_delivered() -> Value {
    json!({ "batchItemFailures": [] })
}

/// The answer that acknowledges the records before the one with this sequence number.
fn failed_from(sequence_number: impl std::fmt::Display) -> Value {
    json!({ "batchItemFailures": [{ "itemIdentifier": sequence_number.to_string() }] })
}
