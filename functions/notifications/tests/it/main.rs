//! The function, called with batches of its queue, on a real table, with an SES that keeps the mails.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod account;
mod contents;
mod delivery;
mod events;
mod faults;
mod logs;
mod process;
mod ses;
mod shop;
mod world;

use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use storefront_core::{Table, aws};
use storefront_notifications::{Notifications, Ses, Settings};

/// Who writes the mails.
pub(crate) const SENDER: &str = "shop@example.com";

/// The function on this table, with this SES.
pub(crate) fn notifications(table: Table, ses: &ses::Ses) -> Notifications {
    let ses = Ses::new(&aws::patient_emulator_config(), Some(ses.url.clone()));
    Notifications::new(table, ses, settings())
}

pub(crate) fn settings() -> Settings {
    Settings::new(SENDER.parse().unwrap(), Some("https://shop.example".to_owned()))
}

/// A batch of messages with these events, whose ids are their places.
pub(crate) fn batch(events: &[Value]) -> Value {
    let record = |(place, event): (usize, &Value)| message(&place.to_string(), &event.to_string());
    json!({ "Records": events.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// A message, as Lambda passes it on.
pub(crate) fn message(id: &str, body: &str) -> Value {
    json!({
        "messageId": id,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": body,
        "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1764578999000" },
        "messageAttributes": {},
        "md5OfBody": "098f6bcd4621d373cade4e832627b4f6",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:storefront-OrderMailsQueue",
        "awsRegion": "eu-central-1",
    })
}

/// Invokes the function with a batch of these events. Returns the places of those that failed.
pub(crate) async fn send(notifications: &Notifications, events: &[Value]) -> Vec<String> {
    invoke(notifications, batch(events), Context::default()).await
}

pub(crate) async fn invoke(
    notifications: &Notifications,
    batch: Value,
    context: Context,
) -> Vec<String> {
    let batch = serde_json::from_value(batch).unwrap();
    let answer = notifications.handle(LambdaEvent::new(batch, context)).await;
    let answer = serde_json::to_value(answer).unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap().iter();
    failures.map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}
