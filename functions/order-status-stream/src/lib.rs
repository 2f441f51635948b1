//! DynamoDB Streams consumer: publishes changes of an order's status to EventBridge.
//!
//! A record becomes an event if an order was modified and its status differs; all other valid
//! records are ignored. Records are read one by one from raw JSON, so that a malformed one cannot
//! fail its batch. `storefront_events` reads them and sends the events; this function decides when
//! to stop and what to answer.
//!
//! # Delivery and redelivery
//!
//! Changes are sent in the stream's order. At the first record that cannot be read, or whose event
//! EventBridge does not accept, the function stops and names that record in a partial batch
//! response. Lambda acknowledges the records before it, and delivers it and everything after it
//! again. Nothing after it has been sent, except entries of the `PutEvents` call in which it
//! failed. Sending more would not get anything acknowledged: it would only duplicate those events
//! on every retry, and let an order's later change overtake the one that failed.
//!
//! So delivery is at least once. A duplicate has the same `eventId`, and an order's events carry
//! its `version`, so subscribers can drop duplicates and tell which event came first.
//!
//! A record that cannot be read fails on every retry. If it is the first of several, there is
//! nothing left to acknowledge, and the function fails instead. The event source mapping then
//! halves the batch (`BisectBatchOnFunctionError`) until the record is alone. Alone, it goes to the
//! on-failure destination after the last retry (`MaximumRetryAttempts`), and the records after it
//! are delivered.
//!
//! A record without a sequence number cannot be named. Then the response names the empty string,
//! which Lambda treats as the failure of the whole batch: all of it is delivered again, and nothing
//! is lost.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

use aws_sdk_eventbridge::Client;
use lambda_runtime::{Error, LambdaEvent};
use serde_json::value::RawValue;
use storefront_core::RequestId;
use storefront_events::{Change, Event, Message, Publisher, Record, Unreadable};
use storefront_http::invocation::{InvocationIds, Served, Telemetry};
use storefront_http::stream::{self, BatchAnswer, FirstIsUnreadable};
use storefront_http::{Metric, MetricSink, Metrics};

pub use storefront_events::eventbridge;
pub use storefront_http::stream::StreamBatch;

/// The metrics of this function.
pub const METRICS: &[Metric] = &[STATUS_CHANGES_PUBLISHED];

/// Changes to a status that the event bus accepted.
const STATUS_CHANGES_PUBLISHED: Metric = Metric::count("StatusChangesPublished").by("Status");

/// The function, which reads batches of stream records and publishes their status changes.
pub struct Consumer {
    publisher: Publisher,
    telemetry: Telemetry,
    metrics: MetricSink,
}

impl Consumer {
    /// A consumer that publishes to the event bus with this name or ARN.
    #[must_use]
    pub fn new(client: Client, bus_name: impl Into<String>) -> Self {
        Self {
            publisher: Publisher::new(client, bus_name),
            telemetry: Telemetry::new("order-status-stream"),
            metrics: MetricSink::default(),
        }
    }

    /// Makes the consumer write its metrics to this sink.
    #[must_use]
    pub fn with_metrics(self, metrics: MetricSink) -> Self {
        Self { metrics, ..self }
    }

    /// Publishes a batch's status changes and names the first record that was not delivered.
    ///
    /// # Errors
    ///
    /// If the first of several records cannot be read, so that the batch is halved.
    pub async fn handle(&self, event: LambdaEvent<StreamBatch>) -> Result<BatchAnswer, Error> {
        let ids = InvocationIds::new(&event.context, None);
        let metrics = Metrics::new(self.metrics.clone());
        // Boxed, because the future contains the SDK's, and the compiler gives up on nesting it
        // deeper.
        let delivering = Box::pin(self.deliver(event, &metrics));
        self.telemetry.observe(&ids, &metrics, delivering).await
    }

    async fn deliver(
        &self,
        event: LambdaEvent<StreamBatch>,
        metrics: &Metrics,
    ) -> (Result<BatchAnswer, Error>, Served) {
        let deadline = stream::deadline(&event.context);
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
                ("stopped", Ok(stream::failed([changes[delivered].sequence_number.clone()])))
            }
            (None, None) => ("delivered", Ok(BatchAnswer::default())),
            (None, Some((0, _))) if records.len() > 1 => ("failed", Err(FirstIsUnreadable.into())),
            (None, Some((_, record))) => {
                ("stopped", Ok(stream::failed([record.sequence_number.unwrap_or_default()])))
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

/// Returns the ids of the requests that made these changes. They are in the invocation's one line
/// rather than in a debug line each, so that any request can be followed to its event at the
/// deployed log level, without repeating the request. That costs 17 bytes per change.
fn requests_of(changes: &[Change]) -> Option<String> {
    let ids = changes.iter().filter_map(|change| change.message.envelope.request_id.as_ref());
    let ids: Vec<&str> = ids.map(RequestId::as_str).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

/// Returns the changes before the first record that cannot be read, and that record with its place.
fn read(records: &[Box<RawValue>]) -> (Vec<Change>, Option<(usize, Unreadable)>) {
    let mut changes = Vec::new();
    for (place, record) in records.iter().enumerate() {
        match Record::read(record) {
            Record::Change(change) => changes.push(change),
            Record::Ignored => {}
            Record::Unreadable(record) => {
                record.log();
                return (changes, Some((place, record)));
            }
        }
    }
    (changes, None)
}
