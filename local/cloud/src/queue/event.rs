//! The event that a function receives from a queue.
//! <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use md5::{Digest as _, Md5};
use serde_json::{Map, Value, json};

use super::store::Message;

/// Returns the ARN of one of the template's queues.
fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:{}:{}:{queue}", crate::REGION, crate::ACCOUNT)
}

/// Returns the event with these messages of a queue.
pub(crate) fn event(queue: &str, messages: &[Message]) -> Value {
    json!({ "Records": messages.iter().map(|message| record(queue, message)).collect::<Vec<_>>() })
}

/// Returns what the patterns of a mapping are compared with: a body that is JSON is compared by its
/// members.
pub(crate) fn filtered(queue: &str, message: &Message) -> Value {
    let mut record = record(queue, message);
    if let Ok(body @ Value::Object(_)) = serde_json::from_str(&message.body) {
        record["body"] = body;
    }
    record
}

fn record(queue: &str, message: &Message) -> Value {
    let milliseconds = |time: jiff::Timestamp| time.as_millisecond().to_string();
    let mut attributes = json!({
        "ApproximateReceiveCount": message.receives.to_string(),
        "SentTimestamp": milliseconds(message.sent_at),
        "SenderId": crate::ACCOUNT,
        "ApproximateFirstReceiveTimestamp":
            message.first_received_at.map(milliseconds).unwrap_or_default(),
    });
    if let Some(source) = &message.source {
        attributes["DeadLetterQueueSourceArn"] = arn(source).into();
    }
    json!({
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": message_attributes(&message.attributes),
        "md5OfBody": md5_of(&message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": arn(queue),
        "awsRegion": crate::REGION,
    })
}

pub(super) fn md5_of(body: &str) -> String {
    format!("{:032x}", u128::from_be_bytes(Md5::digest(body).into()))
}

fn message_attributes(attributes: &Map<String, Value>) -> Value {
    let attribute = |(name, value): (&String, &Value)| {
        let value = json!({
            "stringValue": value,
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        });
        (name.clone(), value)
    };
    Value::Object(attributes.iter().map(attribute).collect())
}
