//! Lambda's asynchronous invocations: an event waits in a queue of Lambda's own, is retried if the
//! function fails, and goes to the function's dead-letter queue if it keeps failing.
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use storefront_template::{AsynchronousInvocation, Template};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::Error;
use crate::function::{Function, FunctionError};
use crate::queue::{Inbox, Message, NewMessage, Queues, Receiver, Settlement};
use crate::stop::{Stop, Worker};

/// The pauses before the first and the second retry.
const PAUSES: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];
/// Longer than Lambda keeps an event that is retried, so that it is given up, and not dropped.
const RETENTION: Duration = Duration::from_hours(24 * 365);
/// The longest error message in a dead letter, in characters.
const ERROR_LENGTH: usize = 1024;

/// The invocations of a function by one source of events.
pub(crate) struct Invocations {
    /// What sends the events, such as a rule: it has a queue of its own.
    pub(crate) source: String,
    /// How many may run at once. With 1, they begin in the order of the events.
    pub(crate) concurrency: usize,
    target: Arc<AsynchronousTarget>,
}

/// A function, and what becomes of its invocations that fail.
pub(crate) struct AsynchronousTarget {
    logical_id: String,
    function: Function,
    settings: AsynchronousInvocation,
    timeout: Duration,
    queues: Queues,
}

/// Why an event was given up.
#[derive(Clone, Copy)]
enum Condition {
    RetriesExhausted,
    EventAgeExceeded,
}

/// Returns the template's functions as targets of asynchronous invocations, by logical id.
pub(crate) fn targets(
    template: &Template,
    functions: &HashMap<String, Function>,
    queues: &Queues,
) -> Result<HashMap<String, Arc<AsynchronousTarget>>, Error> {
    let definitions = template.functions()?.into_values();
    let targets = definitions.filter_map(|definition| {
        let target = AsynchronousTarget {
            function: functions.get(&definition.logical_id)?.clone(),
            settings: definition.asynchronous,
            timeout: definition.timeout,
            queues: queues.clone(),
            logical_id: definition.logical_id,
        };
        Some((target.logical_id.clone(), Arc::new(target)))
    });
    Ok(targets.collect())
}

impl Invocations {
    pub(crate) fn new(
        source: String,
        concurrency: usize,
        target: &Arc<AsynchronousTarget>,
    ) -> Self {
        Self { source, concurrency, target: Arc::clone(target) }
    }

    /// Returns the message with which an event is handed over.
    pub(crate) fn message(&self, event: String) -> NewMessage {
        NewMessage {
            queue: self.source.clone(),
            body: event,
            attributes: Map::new(),
            delay: Duration::ZERO,
        }
    }

    /// Hands over an event. Once it returns, the event survives a crash.
    pub(crate) async fn send(&self, event: String) -> Result<(), Error> {
        self.target.queues.store().send(vec![self.message(event)]).await
    }

    /// Starts invoking the function with the events, first those that another run left.
    pub(crate) fn start(&self) -> Worker {
        let (source, target) = (self.source.clone(), Arc::clone(&self.target));
        let concurrency = self.concurrency;
        Worker::start(move |stop| run(source, concurrency, target, stop))
    }
}

async fn run(source: String, concurrency: usize, target: Arc<AsynchronousTarget>, mut stop: Stop) {
    let store = target.queues.store().clone();
    if let Err(error) = store.release(&source).await {
        tracing::error!("{source}: {error}");
    }
    let inbox = Inbox {
        queue: source.clone(),
        // An invocation is settled as soon as it ends, at the latest at its timeout.
        visibility_timeout: target.timeout + Duration::from_mins(1),
        retention: RETENTION,
        redrive: None,
    };
    let mut receiver = Receiver::new(store, inbox);
    let slots = Arc::new(Semaphore::new(concurrency));
    let mut invocations = JoinSet::new();
    while let Some(Ok(slot)) = stop.or(Arc::clone(&slots).acquire_owned()).await
        && let Some(messages) = receiver.batch(1, Duration::ZERO, &mut stop).await
    {
        let (source, target) = (source.clone(), Arc::clone(&target));
        invocations.spawn(async move {
            for message in messages {
                target.invoke(&source, message).await;
            }
            drop(slot);
        });
        while invocations.try_join_next().is_some() {}
    }
    invocations.join_all().await;
}

impl AsynchronousTarget {
    async fn invoke(&self, source: &str, message: Message) {
        let now = self.now();
        let event: Value = serde_json::from_str(&message.body).unwrap_or(Value::Null);
        let settlement = if is_too_old(&message, &self.settings, now) {
            self.give_up(source, message, &event, None)
        } else {
            match self.function.invoke(&event).await {
                Ok(_) => {
                    tracing::info!("{source}: invoked {}", self.logical_id);
                    Settlement { deleted: vec![message], ..Settlement::default() }
                }
                Err(error) => self.failed(source, message, &event, error),
            }
        };
        if let Err(error) = self.queues.store().settle(settlement).await {
            tracing::error!("{source}: {error}");
        }
    }

    fn failed(
        &self,
        source: &str,
        message: Message,
        event: &Value,
        error: FunctionError,
    ) -> Settlement {
        let retry = usize::try_from(message.receives).unwrap_or(usize::MAX) - 1;
        let is_last = message.receives > self.settings.maximum_retry_attempts;
        match PAUSES.get(retry).filter(|_| !is_last) {
            Some(pause) => {
                let seconds = pause.as_secs();
                tracing::warn!("{source}: {}: {error}; again in {seconds} s", self.logical_id);
                let at = self.now() + SignedDuration::from_secs(seconds.cast_signed());
                Settlement { returned: Some((message, at)), ..Settlement::default() }
            }
            None => self.give_up(source, message, event, Some(error)),
        }
    }

    /// Sends an event to where the function's lost events go. Without an error, it is too old.
    fn give_up(
        &self,
        source: &str,
        message: Message,
        event: &Value,
        error: Option<FunctionError>,
    ) -> Settlement {
        let AsynchronousInvocation { failure_destination, dead_letter_queue, .. } = &self.settings;
        let condition = match error {
            Some(_) => Condition::RetriesExhausted,
            None => Condition::EventAgeExceeded,
        };
        let error = error.map_or_else(|| "it is too old".to_owned(), |error| error.to_string());
        let mut sent = Vec::new();
        if let Some(queue) = failure_destination {
            let record = self.record(&message, event, condition, &error).to_string();
            sent.push(self.queues.message(queue, record, Map::new()));
        }
        if let Some(queue) = dead_letter_queue {
            let message_of_error: String = error.chars().take(ERROR_LENGTH).collect();
            let attributes = [
                ("RequestID", message.id.clone()),
                ("ErrorCode", "200".to_owned()),
                ("ErrorMessage", message_of_error),
            ];
            let attributes = attributes.map(|(name, value)| (name.to_owned(), value.into()));
            sent.push(self.queues.message(queue, message.body.clone(), Map::from_iter(attributes)));
        }
        let queues: Vec<_> = sent.iter().map(|message| message.queue.as_str()).collect();
        let (function, condition) = (&self.logical_id, condition.name());
        if queues.is_empty() {
            let id = &event["id"];
            tracing::error!(
                "{source}: {function}: {error}; gave up ({condition}) and discarded event {id}: the \
                 function has neither a DeadLetterQueue nor an on-failure destination; a dead-letter \
                 queue of a rule or a schedule gets only what Lambda does not accept"
            );
        } else {
            let queues = queues.join(", ");
            tracing::error!(
                "{source}: {function}: {error}; gave up ({condition}), kept in {queues}"
            );
        }
        Settlement { deleted: vec![message], sent, ..Settlement::default() }
    }

    /// Returns the record that an on-failure destination receives.
    fn record(&self, message: &Message, event: &Value, condition: Condition, error: &str) -> Value {
        let (region, account) = (crate::REGION, crate::ACCOUNT);
        let function = &self.logical_id;
        let invocations = match condition {
            Condition::RetriesExhausted => message.receives,
            // It has been received once more, but not for the function.
            Condition::EventAgeExceeded => message.receives - 1,
        };
        let mut record = json!({
            "version": "1.0",
            "timestamp": format!("{:.3}", self.now()),
            "requestContext": {
                "requestId": message.id,
                "functionArn": format!("arn:aws:lambda:{region}:{account}:function:{function}:$LATEST"),
                "condition": condition.name(),
                "approximateInvokeCount": invocations,
            },
            "requestPayload": event,
        });
        if let Condition::RetriesExhausted = condition {
            record["responseContext"] = json!({
                "statusCode": 200,
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
            });
            record["responsePayload"] = json!({ "errorMessage": error });
        }
        record
    }

    fn now(&self) -> Timestamp {
        self.queues.store().clock().now()
    }
}

impl Condition {
    fn name(self) -> &'static str {
        match self {
            Self::RetriesExhausted => "RetriesExhausted",
            Self::EventAgeExceeded => "EventAgeExceeded",
        }
    }
}

fn is_too_old(message: &Message, settings: &AsynchronousInvocation, now: Timestamp) -> bool {
    let age = Duration::try_from(now.duration_since(message.sent_at)).unwrap_or_default();
    age > settings.maximum_event_age
}
