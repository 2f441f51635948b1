//! The function, called as the event source mapping calls it, against an EventBridge endpoint on
//! the loopback interface that speaks `PutEvents` to the real SDK client.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bus;
mod decoding;
mod delivery;
mod events;
mod logs;
mod metrics;
mod process;
mod records;

use std::time::{Duration, SystemTime};

use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storefront_core::aws;
use storefront_order_status_stream::{Consumer, StreamBatch, eventbridge};
use storefront_testing::evidence;

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
    invoke(bus, payload, context).await.unwrap()
}

/// The error of a function that fails on a batch as a whole.
async fn failure(bus: &Bus, records: &[Value]) -> String {
    invoke(bus, &payload(records), Context::default()).await.unwrap_err().to_string()
}

async fn invoke(
    bus: &Bus,
    payload: &str,
    context: Context,
) -> Result<Value, lambda_runtime::Error> {
    evidence::start();
    let batch: StreamBatch = serde_json::from_str(payload)?;
    let consumer =
        Consumer::new(eventbridge(&aws::emulator_config(), Some(bus.url.clone())), BUS_NAME);
    let answer = consumer.handle(LambdaEvent::new(batch, context)).await?;
    Ok(serde_json::to_value(answer)?)
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
