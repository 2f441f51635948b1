//! Sends events to EventBridge, in order.

use std::collections::HashSet;
use std::error::Error as _;

use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::operation::put_events::{PutEventsError, PutEventsOutput};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use tokio::time::{Instant, timeout_at};

use crate::Message;

/// The maximum number of entries in a `PutEvents` call.
///
/// The call's other limit, 1 MB in total (256 KB until 2025), need not be checked: an entry of ids,
/// numbers, a currency code and times has less than a kilobyte, and at most three with a parcel's
/// tracking, of 100 characters each and an address of 500.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
const MAX_ENTRIES: usize = 10;

/// The codes of failures that are the event's own and that no later call mends: EventBridge rejects
/// what is in it. EventBridge has other codes after which it advises against a retry, but those that
/// deny access are the role's or the bus's, and mended there.
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>
const FOR_GOOD: [&str; 3] = ["InvalidArgument", "MalformedDetail", "RedactionFailure"];

/// The codes with which EventBridge rejects a whole call because of what is in it, such as its size.
const INVALID_CALL: [&str; 3] =
    ["RequestEntityTooLarge", "SerializationException", "ValidationException"];

/// Sends events to one event bus.
pub struct Publisher {
    client: Client,
    bus_name: String,
}

/// Why an event was not published. Reveals nothing of its contents.
#[derive(Debug, thiserror::Error)]
pub enum NotPublished {
    /// There is no time left to send it.
    #[error("the invocation's time is nearly up")]
    OutOfTime,
    /// EventBridge did not accept the call.
    #[error("the call failed: {}", outline(.0))]
    Call(Box<SdkError<PutEventsError>>),
    /// EventBridge refuses a call with this event alone in it, because of what is in it.
    #[error("the call was refused: {}", outline(.0))]
    Invalid(Box<SdkError<PutEventsError>>),
    /// EventBridge accepted the call, but refused this event in it.
    #[error("the entry was refused")]
    Refused {
        /// EventBridge's code for the reason.
        code: String,
    },
    /// EventBridge accepted the call, but answered for fewer entries than it received.
    #[error("the response has no result for the entry")]
    Unanswered,
}

/// Creates an EventBridge client.
///
/// The endpoint is a parameter because the SDK, if it read the environment itself, would take an
/// empty variable for an endpoint.
#[must_use]
pub fn eventbridge(config: &SdkConfig, endpoint_url: Option<String>) -> Client {
    let mut config = aws_sdk_eventbridge::config::Builder::from(config);
    config.set_endpoint_url(endpoint_url);
    Client::from_conf(config.build())
}

impl NotPublished {
    /// EventBridge's error code, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Call(error) | Self::Invalid(error) => error.code(),
            Self::Refused { code } => Some(code),
            Self::OutOfTime | Self::Unanswered => None,
        }
    }

    /// Whether EventBridge refused this event, and may have accepted others. Otherwise the failure is
    /// not specific to this event, and the next call will probably fail, too.
    #[must_use]
    pub fn is_of_this_event(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::Invalid(_))
    }

    /// Whether EventBridge will never accept this event.
    #[must_use]
    pub fn is_for_good(&self) -> bool {
        match self {
            Self::Refused { code } => FOR_GOOD.contains(&&**code),
            Self::Invalid(_) => true,
            Self::Call(_) | Self::OutOfTime | Self::Unanswered => false,
        }
    }
}

impl Publisher {
    /// A publisher to the event bus with this name or ARN.
    #[must_use]
    pub fn new(client: Client, bus_name: impl Into<String>) -> Self {
        Self { client, bus_name: bus_name.into() }
    }

    /// Sends the events in order, and stops at the first that is not published. Returns how many
    /// were published before it.
    ///
    /// One call is in flight at a time, however large the batch: what is sent after a failure is
    /// sent again, and concurrent calls would multiply these duplicates. It is fast enough. A call
    /// takes ten changes, so at 10 ms per call an invocation publishes about 800 a second. A shard
    /// brings at most 500, because its partition takes 1,000 write units a second and a change
    /// costs two.
    ///
    /// Later entries of the call that contained the failed event may have been accepted
    /// nevertheless. They are sent again, with the same `eventId`.
    ///
    /// If EventBridge rejects a call because of what is in it, its events are sent one by one, so that
    /// only the one that is the cause is not published.
    pub async fn publish(
        &self,
        messages: &[&Message],
        deadline: Option<Instant>,
    ) -> (usize, Option<NotPublished>) {
        let (mut published, mut at_most) = (0, MAX_ENTRIES);
        while published < messages.len() {
            let call = next_call(&messages[published..], at_most);
            let (accepted, failure) = self.put(call, deadline).await;
            published += accepted;
            match failure {
                None => {}
                Some(NotPublished::Invalid(_)) if call.len() > 1 => at_most = 1,
                Some(failure) => return (published, Some(failure)),
            }
        }
        (published, None)
    }

    async fn put(
        &self,
        call: &[&Message],
        deadline: Option<Instant>,
    ) -> (usize, Option<NotPublished>) {
        let entries = call.iter().map(|message| self.entry(message)).collect();
        let sending = self.client.put_events().set_entries(Some(entries)).send();
        let answer = match deadline {
            None => sending.await,
            Some(deadline) if deadline <= Instant::now() => {
                return (0, Some(NotPublished::OutOfTime));
            }
            Some(deadline) => match timeout_at(deadline, sending).await {
                Ok(answer) => answer,
                Err(_) => return (0, Some(NotPublished::OutOfTime)),
            },
        };
        match answer {
            Ok(output) => accepted(call.len(), &output),
            Err(error) if error.code().is_some_and(|code| INVALID_CALL.contains(&code)) => {
                (0, Some(NotPublished::Invalid(Box::new(error))))
            }
            Err(error) => (0, Some(NotPublished::Call(Box::new(error)))),
        }
    }

    fn entry(&self, message: &Message) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus_name)
            .source(message.source)
            .detail_type(message.kind)
            .detail(&message.detail)
            .build()
    }
}

/// Returns the events for the next call: never two of the same subject, because EventBridge may refuse an entry and accept the next. A subject's later event is sent only after
/// its earlier one has been accepted.
fn next_call<'a, 'b>(messages: &'a [&'b Message], at_most: usize) -> &'a [&'b Message] {
    let mut subjects = HashSet::new();
    let fit = messages
        .iter()
        .take(at_most)
        .take_while(|message| subjects.insert(message.envelope.event_id.subject))
        .count();
    &messages[..fit]
}

/// Counts the entries of a call that were accepted before the first failed one. A successful call
/// may contain failed entries; the response has one result per entry, in the same order.
fn accepted(sent: usize, output: &PutEventsOutput) -> (usize, Option<NotPublished>) {
    let results = &output.entries()[..sent.min(output.entries().len())];
    let refused = results
        .iter()
        .enumerate()
        .find_map(|(position, result)| result.error_code().map(|code| (position, code)));
    match refused {
        Some((position, code)) => (position, Some(NotPublished::Refused { code: code.to_owned() })),
        None if results.len() < sent => (results.len(), Some(NotPublished::Unanswered)),
        None => (sent, None),
    }
}

/// Describes a failed call for the log. AWS quotes requests in its error messages, and requests
/// contain the orders' data, so only the status of the service's own errors is repeated.
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
