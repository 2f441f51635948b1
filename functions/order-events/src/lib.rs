//! DynamoDB Streams consumer: publishes what happens to orders to EventBridge.
//!
//! A record becomes an event if an order was placed, or if its status or payment changed; all other
//! valid records are ignored. Records are read one by one from raw JSON, so that a malformed one
//! cannot fail its batch. `storefront_events` reads them and sends the events; this function decides
//! when to stop and what to answer.
//!
//! # Delivery and redelivery
//!
//! Events are sent in the stream's order. At the first one that EventBridge does not accept, although
//! it may later, the function stops and names its record in a partial batch response. Lambda
//! acknowledges the records before it, and delivers it and everything after it again, until it is
//! accepted or the record is 23 hours old (`MaximumRecordAgeInSeconds`): the stream forgets it an hour
//! later. So an outage of EventBridge for hours only delays events. Nothing after the record has been
//! sent, except entries of the `PutEvents` call in which it failed. Sending more would not get
//! anything acknowledged: it would only duplicate those events on every retry, and let an order's
//! later change overtake the one that failed.
//!
//! So delivery is at least once. A duplicate has the same `eventId`, and an order's events carry
//! its `version`, so subscribers can drop duplicates and tell which event came first.
//!
//! # Records that are put aside
//!
//! No retry helps a record that cannot be read, or whose event EventBridge refuses because of what is
//! in it. It would block those behind it for 23 hours. So the function puts it into the bucket of
//! failed records, in the form of Lambda's own failed batches, and goes on: from there an operator
//! delivers it with `storefront-ops redrive`. Its order's later events overtake it. If it cannot be
//! put aside, it is named like an event that was not accepted.
//!
//! A record without a sequence number cannot be named. If it cannot be put aside either, the response
//! names the empty string, which Lambda treats as the failure of the whole batch: all of it is
//! delivered again, and nothing is lost.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>

mod bucket;
mod put_aside;

use aws_sdk_eventbridge::Client;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::value::RawValue;
use storefront_core::RequestId;
use storefront_events::{Change, Event, Message, NotPublished, Publisher, Record};
use storefront_http::invocation::{InvocationIds, Served, Telemetry};
use storefront_http::logging::with_sources;
use storefront_http::stream::{self, BatchAnswer};
use storefront_http::{Metric, MetricSink, Metrics};
use tokio::time::Instant;

pub use bucket::Bucket;
pub use storefront_events::eventbridge;
pub use storefront_http::stream::StreamBatch;

use put_aside::Condition;

/// The metrics of this function.
pub const METRICS: &[Metric] = &[EVENTS_PUBLISHED, STATUS_CHANGES_PUBLISHED, RECORDS_PUT_ASIDE];

/// Events that the event bus accepted.
const EVENTS_PUBLISHED: Metric = Metric::count("EventsPublished").by("Event");
/// Changes to a status that the event bus accepted.
const STATUS_CHANGES_PUBLISHED: Metric = Metric::count("StatusChangesPublished").by("Status");
/// Records that were put into the bucket of failed records. Subscribers miss them until somebody
/// delivers them, so an alarm watches it.
const RECORDS_PUT_ASIDE: Metric = Metric::count("RecordsPutAside");

/// The function, which reads batches of stream records and publishes the events in them.
pub struct Consumer {
    publisher: Publisher,
    failed_records: Bucket,
    telemetry: Telemetry,
    metrics: MetricSink,
}

impl Consumer {
    /// A consumer that publishes to the event bus with this name or ARN, and puts what can never be
    /// published into this bucket.
    #[must_use]
    pub fn new(client: Client, bus_name: impl Into<String>, failed_records: Bucket) -> Self {
        Self {
            publisher: Publisher::new(client, bus_name),
            failed_records,
            telemetry: Telemetry::new("order-events"),
            metrics: MetricSink::default(),
        }
    }

    /// Makes the consumer write its metrics to this sink.
    #[must_use]
    pub fn with_metrics(self, metrics: MetricSink) -> Self {
        Self { metrics, ..self }
    }

    /// Publishes a batch's events, and names the first record that was neither delivered nor put aside.
    pub async fn handle(&self, event: LambdaEvent<StreamBatch>) -> BatchAnswer {
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
    ) -> (BatchAnswer, Served) {
        let LambdaEvent { payload: StreamBatch { records }, context } = event;
        let read: Vec<Record> = records.iter().map(|record| Record::read(record)).collect();
        let mut delivery = Delivery {
            consumer: self,
            context: &context,
            deadline: stream::deadline(&context),
            metrics,
            records: &records,
            delivered: Vec::new(),
            put_aside: 0,
        };
        let stopped_at = delivery.run(&read).await.err();
        let served = Served {
            outcome: Some(if stopped_at.is_none() { "delivered" } else { "stopped" }),
            records: Some(records.len()),
            changes: Some(read.iter().filter(|read| matches!(read, Record::Change(_))).count()),
            delivered: Some(delivery.delivered.len()),
            put_aside: Some(delivery.put_aside).filter(|&count| count > 0),
            request_ids: requests_of(&delivery.delivered),
            ..Served::default()
        };
        (stream::failed(stopped_at), served)
    }
}

/// The delivery of one batch.
struct Delivery<'a> {
    consumer: &'a Consumer,
    context: &'a Context,
    deadline: Option<Instant>,
    metrics: &'a Metrics,
    records: &'a [Box<RawValue>],
    delivered: Vec<&'a Change>,
    put_aside: usize,
}

impl<'a> Delivery<'a> {
    /// Delivers or puts aside one record after the other. Fails with the sequence number of the first
    /// for which neither was possible, empty if it has none.
    async fn run(&mut self, read: &'a [Record]) -> Result<(), String> {
        let mut place = 0;
        while place < read.len() {
            match &read[place] {
                Record::Unreadable(record) => {
                    record.log();
                    if !self.put_aside(place, Condition::Unreadable).await {
                        return Err(record.sequence_number.clone().unwrap_or_default());
                    }
                    place += 1;
                }
                _ => place = self.publish(read, place).await?,
            }
        }
        Ok(())
    }

    /// Publishes the events from this place up to the next record that cannot be read. Returns where
    /// to go on.
    async fn publish(&mut self, read: &'a [Record], from: usize) -> Result<usize, String> {
        let readable =
            read[from..].iter().take_while(|read| !matches!(read, Record::Unreadable(_)));
        let end = from + readable.clone().count();
        let changes: Vec<(usize, &Change)> = (from..)
            .zip(readable)
            .filter_map(|(place, read)| match read {
                Record::Change(change) => Some((place, change)),
                _ => None,
            })
            .collect();
        let messages: Vec<&Message> = changes.iter().map(|(_, change)| &change.message).collect();
        let (count, failure) = self.consumer.publisher.publish(&messages, self.deadline).await;
        for (_, change) in &changes[..count] {
            self.count(&change.event);
            self.delivered.push(change);
        }
        let Some(failure) = failure else { return Ok(end) };
        let (place, change) = changes[count];
        log(change, &failure);
        if failure.is_for_good() && self.put_aside(place, Condition::Refused).await {
            return Ok(place + 1);
        }
        Err(change.sequence_number.clone())
    }

    /// Puts a record aside, and returns whether it is there.
    async fn put_aside(&mut self, place: usize, condition: Condition) -> bool {
        let bucket = &self.consumer.failed_records;
        let record = &self.records[place];
        match put_aside::put(bucket, self.context, record, condition, self.deadline).await {
            Ok(key) => {
                tracing::error!(object.key = key, "a record was put aside");
                self.metrics.add(RECORDS_PUT_ASIDE, 1.0);
                self.put_aside += 1;
                true
            }
            Err(error) => {
                tracing::warn!(error = %with_sources(&error), "a record was not put aside");
                false
            }
        }
    }

    fn count(&self, event: &Event) {
        self.metrics.add_of(EVENTS_PUBLISHED, event.kind(), 1.0);
        match event {
            Event::OrderStatusChanged(changed) => {
                let status = changed.order.status.as_str();
                self.metrics.add_of(STATUS_CHANGES_PUBLISHED, status, 1.0);
            }
            Event::OrderPlaced(_) | Event::OrderPaymentChanged(_) => {}
        }
    }
}

fn log(change: &Change, failure: &NotPublished) {
    tracing::warn!(
        record.sequence_number = %change.sequence_number,
        event.id = %change.message.envelope.event_id,
        error.code = failure.code(),
        error = %failure,
        "an event was not delivered"
    );
}

/// Returns the ids of the requests that made these changes. They are in the invocation's one line
/// rather than in a debug line each, so that any request can be followed to its event at the
/// deployed log level, without repeating the request. That costs 17 bytes per change.
fn requests_of(changes: &[&Change]) -> Option<String> {
    let ids = changes.iter().filter_map(|change| change.message.envelope.request_id.as_ref());
    let ids: Vec<&str> = ids.map(RequestId::as_str).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
