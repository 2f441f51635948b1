//! DynamoDB Streams consumer: publishes changes of an order's status to EventBridge.
//!
//! A record counts when an order was modified and its status differs; everything else that is a
//! sound record is ignored. Records are read one by one from raw JSON, so that an odd one cannot
//! fail its batch. `storefront_events` reads them and sends the events; what this function adds is
//! when to stop and what to answer.
//!
//! # What is delivered, and what comes again
//!
//! Changes go out in the stream's order. At the first record that cannot be read, or whose event
//! EventBridge does not take, the function stops and names that record in a partial batch
//! response: Lambda acknowledges what precedes it and delivers it and everything after it again.
//! Nothing after it has been sent, except entries of the very `PutEvents` call in which it failed.
//! Sending more would not get anything acknowledged: it would only double those events on every
//! retry, and let an order's later change overtake the one that failed.
//!
//! Delivery is therefore at least once. A double carries the same `eventId`, and an order's events
//! carry its `version`, so subscribers can drop doubles and see order.
//!
//! A record that cannot be read fails on every retry. Where it is the first of several, there is
//! nothing left to acknowledge, and the function fails instead: that makes the event source mapping
//! halve the batch (`BisectBatchOnFunctionError`) until the record is alone. Alone it is given up
//! (`MaximumRetryAttempts`) to the on-failure destination, and the records after it are delivered.
//!
//! A record without a sequence number cannot be named. Then the answer names the empty string,
//! which Lambda takes as the failure of the whole batch: all of it comes again, and nothing is
//! lost.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use std::time::{Duration, SystemTime};

use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use aws_sdk_eventbridge::Client;
use lambda_runtime::{Context, Error, LambdaEvent};
use serde::Deserialize;
use serde_json::value::RawValue;
use storefront_core::RequestId;
use storefront_events::{Change, Event, Message, Publisher, Record, Unreadable};
use storefront_http::invocation::{InvocationIds, Served, Telemetry};
use storefront_http::{Metric, MetricSink, Metrics};
use tokio::time::Instant;

pub use storefront_events::eventbridge;

/// What is kept of an invocation's time to answer in, rather than be cut off with everything that
/// was delivered counted as failed.
const TIME_TO_ANSWER: Duration = Duration::from_millis(500);

/// What this function counts.
pub const METRICS: &[Metric] = &[STATUS_CHANGES_PUBLISHED];

/// Changes to a status that the event bus took.
const STATUS_CHANGES_PUBLISHED: Metric = Metric::count("StatusChangesPublished").by("Status");

/// What the event source mapping hands over: records that are not read yet.
#[derive(Clone, Deserialize)]
pub struct StreamBatch {
    /// The records, in the stream's order.
    #[serde(rename = "Records")]
    pub records: Vec<Box<RawValue>>,
}

/// The function: reads batches of stream records and publishes the status changes among them.
pub struct Consumer {
    publisher: Publisher,
    telemetry: Telemetry,
    metrics: MetricSink,
}

impl Consumer {
    /// A consumer that publishes to the event bus of this name or ARN.
    #[must_use]
    pub fn new(client: Client, bus_name: impl Into<String>) -> Self {
        Self {
            publisher: Publisher::new(client, bus_name),
            telemetry: Telemetry::new("order-status-stream"),
            metrics: MetricSink::default(),
        }
    }

    /// The same with its metrics written.
    #[must_use]
    pub fn with_metrics(self, metrics: MetricSink) -> Self {
        Self { metrics, ..self }
    }

    /// Publishes a batch's status changes and names the first record that was not delivered.
    ///
    /// # Errors
    ///
    /// When the first of several records cannot be read, so that the batch is halved.
    pub async fn handle(
        &self,
        event: LambdaEvent<StreamBatch>,
    ) -> Result<DynamoDbEventResponse, Error> {
        let ids = InvocationIds::new(&event.context, None);
        let metrics = Metrics::new(self.metrics.clone());
        // Boxed: with the SDK's in it, it is a future that the compiler gives up on nesting deeper.
        let delivering = Box::pin(self.deliver(event, &metrics));
        self.telemetry.observe(&ids, &metrics, delivering).await
    }

    async fn deliver(
        &self,
        event: LambdaEvent<StreamBatch>,
        metrics: &Metrics,
    ) -> (Result<DynamoDbEventResponse, Error>, Served) {
        let deadline = deadline(&event.context);
        let records = event.payload.records;
        let (changes, unreadable) = read(&records);
        let messages: Vec<&Message> = changes.iter().map(|change| &change.message).collect();
        let (delivered, failure) = self.publisher.publish(&messages, deadline).await;
        for change in &changes[..delivered] {
            match &change.event {
                Event::OrderStatusChanged(changed) => {
                    metrics.add_of(STATUS_CHANGES_PUBLISHED, changed.status.as_str(), 1.0);
                }
            }
        }
        if let Some(failure) = &failure {
            let Change { sequence_number, message, .. } = &changes[delivered];
            tracing::warn!(
                record.sequence_number = %sequence_number,
                event.id = %message.envelope.event_id,
                error.code = failure.code(),
                error = %failure,
                "a status change was not delivered"
            );
        }
        let (outcome, answer) = match (failure, unreadable) {
            (Some(_), _) => {
                ("stopped", Ok(failed_from(changes[delivered].sequence_number.clone())))
            }
            (None, None) => ("delivered", Ok(DynamoDbEventResponse::default())),
            (None, Some((0, _))) if records.len() > 1 => ("failed", Err(FirstIsUnreadable.into())),
            (None, Some((_, record))) => {
                ("stopped", Ok(failed_from(record.sequence_number.unwrap_or_default())))
            }
        };
        let served = Served {
            outcome: Some(outcome),
            records: Some(records.len()),
            changes: Some(changes.len()),
            delivered: Some(delivered),
            request_ids: requests_of(&changes[..delivered]),
            ..Served::default()
        };
        (answer, served)
    }
}

/// By which requests these changes were made. In the invocation's one line rather than in a line of
/// debug each, so that any request can be followed to its event without being made again: at the
/// level that is deployed, for 17 bytes a change.
fn requests_of(changes: &[Change]) -> Option<String> {
    let ids = changes.iter().filter_map(|change| change.message.envelope.request_id.as_ref());
    let ids: Vec<&str> = ids.map(RequestId::as_str).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// Nothing of a batch was delivered, because already its first record cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the first record of the batch cannot be read; the batch must be halved")]
struct FirstIsUnreadable;

/// The changes up to the first record that cannot be read, and that record with its place.
fn read(records: &[Box<RawValue>]) -> (Vec<Change>, Option<(usize, Unreadable)>) {
    let mut changes = Vec::new();
    for (place, record) in records.iter().enumerate() {
        match Record::read(record) {
            Record::Change(change) => changes.push(change),
            Record::Ignored => {}
            Record::Unreadable(record) => {
                tracing::error!(
                    record.sequence_number = record.sequence_number,
                    record.pk = record.partition_key,
                    record.sk = record.sort_key,
                    reason = %record.reason,
                    "a record cannot be read"
                );
                return (changes, Some((place, record)));
            }
        }
    }
    (changes, None)
}

fn failed_from(sequence_number: String) -> DynamoDbEventResponse {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence_number);
    let mut response = DynamoDbEventResponse::default();
    response.batch_item_failures = vec![failure];
    response
}

/// Until when events may be sent; `None` for a context made by hand, which has no deadline.
fn deadline(context: &Context) -> Option<Instant> {
    if context.deadline == 0 {
        return None;
    }
    let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    Some(Instant::now() + left.saturating_sub(TIME_TO_ANSWER))
}
