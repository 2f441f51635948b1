//! Records that can never be delivered as they are, kept for an operator.
//!
//! The objects have the form that Lambda gives to batches that it gives up on, so that
//! `storefront-ops redrive` reads both:
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use lambda_runtime::Context;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use storefront_core::Timestamp;
use tokio::time::{Instant, timeout_at};

use crate::bucket::{Bucket, NotPut};

/// Begins the keys of all objects. Lambda's own begin with `aws/lambda/`.
const PREFIX: &str = "order-events";

/// Why a record is put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It cannot be read.
    Unreadable,
    /// EventBridge will never accept its event.
    Refused,
}

impl Condition {
    fn name(self) -> &'static str {
        match self {
            Self::Unreadable => "RecordUnreadable",
            Self::Refused => "EventRefused",
        }
    }
}

/// Puts a record into the bucket, and returns its key there. If the record is delivered again, it is
/// put in the same place.
pub(crate) async fn put(
    bucket: &Bucket,
    context: &Context,
    record: &RawValue,
    condition: Condition,
    deadline: Option<Instant>,
) -> Result<String, NotPut> {
    let read = Read::of(record);
    let key = read.key(record);
    let content = document(context, record, &read, condition);
    let putting = bucket.put(&key, &content);
    match deadline {
        None => putting.await?,
        Some(deadline) if deadline <= Instant::now() => return Err(NotPut::OutOfTime),
        Some(deadline) => timeout_at(deadline, putting).await.map_err(|_| NotPut::OutOfTime)??,
    }
    Ok(key)
}

fn document(context: &Context, record: &RawValue, read: &Read, condition: Condition) -> String {
    let document = json!({
        "requestContext": {
            "requestId": context.request_id,
            "functionArn": context.invoked_function_arn,
            "condition": condition.name(),
            "approximateInvokeCount": 1,
        },
        "version": "1.0",
        "timestamp": Timestamp::now().to_string(),
        "DDBStreamBatchInfo": {
            "startSequenceNumber": read.sequence_number,
            "endSequenceNumber": read.sequence_number,
            "batchSize": 1,
            "streamArn": read.stream_arn,
        },
        // As text, because the record may be more than a parser takes.
        "payload": format!(r#"{{"Records":[{}]}}"#, record.get()),
    });
    document.to_string()
}

/// What a record says about its place in the stream, as far as it can be read.
#[derive(Default)]
struct Read {
    stream_arn: Option<String>,
    sequence_number: Option<String>,
    written_at: Option<Timestamp>,
}

impl Read {
    /// Reads each member by itself, because any of them may be odd.
    fn of(record: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct StreamArn {
            #[serde(rename = "eventSourceARN")]
            value: String,
        }
        #[derive(Deserialize)]
        struct Change<T> {
            dynamodb: T,
        }
        #[derive(Deserialize)]
        struct SequenceNumber {
            #[serde(rename = "SequenceNumber")]
            value: String,
        }
        #[derive(Deserialize)]
        struct CreatedAt {
            #[serde(rename = "ApproximateCreationDateTime")]
            seconds: f64,
        }
        let json = record.get();
        let stream_arn = serde_json::from_str::<StreamArn>(json).ok();
        let sequence_number = serde_json::from_str::<Change<SequenceNumber>>(json).ok();
        let written_at = serde_json::from_str::<Change<CreatedAt>>(json).ok();
        #[allow(clippy::cast_possible_truncation, reason = "what is no time is rejected then")]
        let written_at = written_at
            .and_then(|read| Timestamp::from_millis((read.dynamodb.seconds * 1000.0) as i64));
        Self {
            stream_arn: stream_arn.map(|read| read.value),
            sequence_number: sequence_number.map(|read| read.dynamodb.value),
            written_at,
        }
    }

    /// The key of the record's object: when the record was written, and a hash that tells it from all
    /// others. It names no person, and is the same on every delivery.
    fn key(&self, record: &RawValue) -> String {
        let mut hash = [0; 16];
        hash.copy_from_slice(&Sha256::digest(record.get())[..16]);
        let hash = format!("{:032x}", u128::from_be_bytes(hash));
        match self.written_at.map(|time| time.to_string()) {
            Some(time) => {
                let (day, time) = (&time[..10], time[..19].replace(':', "."));
                format!("{PREFIX}/{day}/{time}-{hash}.json")
            }
            None => format!("{PREFIX}/undated/{hash}.json"),
        }
    }
}
