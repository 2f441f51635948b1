//! Changes to EventBridge, in order.

use std::collections::HashSet;
use std::error::Error as _;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::operation::put_events::{PutEventsError, PutEventsOutput};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use tokio::time::{Instant, timeout_at};

use crate::event::{DETAIL_TYPE, OrderStatusChanged, SOURCE};
use crate::record::Change;

/// How many entries one `PutEvents` call takes.
///
/// The call's other limit, 1 MB in all (256 KB until 2025), needs no counting: ids, numbers, a
/// currency code and a time make an entry of half a kilobyte at most.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
const MAX_ENTRIES: usize = 10;

/// Sends changes to one event bus.
pub(crate) struct Publisher {
    client: Client,
    bus_name: String,
}

/// Why a change was not delivered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDelivered {
    #[error("the invocation's time is nearly up")]
    OutOfTime,
    #[error("the event cannot be written as JSON: {0}")]
    Detail(serde_json::Error),
    #[error("the call failed: {}", outline(.0))]
    Call(Box<SdkError<PutEventsError>>),
    #[error("the entry was refused")]
    Refused { code: String },
    #[error("the answer says nothing of the entry")]
    Unanswered,
}

impl NotDelivered {
    /// EventBridge's code for what went wrong, if it said so.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Call(error) => error.code(),
            Self::Refused { code } => Some(code),
            _ => None,
        }
    }
}

impl Publisher {
    pub(crate) fn new(client: Client, bus_name: String) -> Self {
        Self { client, bus_name }
    }

    /// Sends the changes in order and stops at the first that is not delivered. Says how many were
    /// delivered before it.
    ///
    /// One call is in flight at a time, however large the batch: what is sent after a failure comes
    /// again, and several calls at once would multiply that. It is fast enough. A call takes ten
    /// changes, so at 10 ms a call an invocation publishes some 800 a second. A shard brings 500 at most,
    /// because its partition takes 1,000 write units a second and a change is two.
    ///
    /// Later entries of the call in which that one failed may have been accepted all the same.
    /// They come again with it when the stream redelivers, with the same `eventId`.
    pub(crate) async fn publish(
        &self,
        changes: &[Change],
        deadline: Option<Instant>,
    ) -> (usize, Option<NotDelivered>) {
        let mut delivered = 0;
        while delivered < changes.len() {
            let call = next_call(&changes[delivered..]);
            let (accepted, failure) = self.put(call, deadline).await;
            delivered += accepted;
            if failure.is_some() {
                return (delivered, failure);
            }
        }
        (delivered, None)
    }

    async fn put(
        &self,
        call: &[Change],
        deadline: Option<Instant>,
    ) -> (usize, Option<NotDelivered>) {
        let entries = match call.iter().map(|change| self.entry(&change.event)).collect() {
            Ok(entries) => entries,
            Err(error) => return (0, Some(NotDelivered::Detail(error))),
        };
        let sending = self.client.put_events().set_entries(Some(entries)).send();
        let answer = match deadline {
            None => sending.await,
            Some(deadline) if deadline <= Instant::now() => {
                return (0, Some(NotDelivered::OutOfTime));
            }
            Some(deadline) => match timeout_at(deadline, sending).await {
                Ok(answer) => answer,
                Err(_) => return (0, Some(NotDelivered::OutOfTime)),
            },
        };
        match answer {
            Ok(output) => accepted(call.len(), &output),
            Err(error) => (0, Some(NotDelivered::Call(Box::new(error)))),
        }
    }

    fn entry(&self, event: &OrderStatusChanged) -> serde_json::Result<PutEventsRequestEntry> {
        Ok(PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus_name)
            .source(SOURCE)
            .detail_type(DETAIL_TYPE)
            .detail(serde_json::to_string(event)?)
            .build())
    }
}

/// The changes that go out in one call: at most ten, and never two of one order, because
/// EventBridge may refuse an entry and accept the next. An order's later change is only sent once
/// its earlier one is accepted.
fn next_call(changes: &[Change]) -> &[Change] {
    let mut orders = HashSet::new();
    let fit = changes
        .iter()
        .take(MAX_ENTRIES)
        .take_while(|change| orders.insert(change.event.order_id))
        .count();
    &changes[..fit]
}

/// How many of a call's entries were accepted before the first that was not. A call that succeeds
/// may still carry failed entries; the answer has one result per entry, in the same order.
fn accepted(sent: usize, output: &PutEventsOutput) -> (usize, Option<NotDelivered>) {
    let results = &output.entries()[..sent.min(output.entries().len())];
    let refused = results
        .iter()
        .enumerate()
        .find_map(|(position, result)| result.error_code().map(|code| (position, code)));
    match refused {
        Some((position, code)) => (position, Some(NotDelivered::Refused { code: code.to_owned() })),
        None if results.len() < sent => (results.len(), Some(NotDelivered::Unanswered)),
        None => (sent, None),
    }
}

/// What a log may say of a failed call. AWS quotes requests in the messages of its errors, and
/// requests hold the orders' content: of the service's own errors only the status is repeated.
fn outline(error: &SdkError<PutEventsError>) -> String {
    if let SdkError::ServiceError(refusal) = error {
        return format!("HTTP status {}", refusal.raw().status());
    }
    let mut outline = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        outline = format!("{outline}: {error}");
        source = error.source();
    }
    outline
}
