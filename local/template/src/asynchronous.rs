use std::time::Duration;

use crate::error::Error;
use crate::node::Node;
use crate::queue::{Numbers, QueueReference};
use crate::template::Template;

/// <https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html>
const RETRY_ATTEMPTS: Numbers = Numbers { from: 0, to: 2, default: 2 };
const EVENT_AGE: Numbers = Numbers { from: 60, to: 21_600, default: 21_600 };

/// What Lambda does with an asynchronous invocation that fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsynchronousInvocation {
    /// How often it is retried.
    pub maximum_retry_attempts: u32,
    /// The age after which an event is given up.
    pub maximum_event_age: Duration,
    /// The logical id of the queue that receives a record of an invocation that was given up, with
    /// the event and the error.
    pub failure_destination: Option<String>,
    /// The logical id of the queue that receives the event of an invocation that was given up.
    pub dead_letter_queue: Option<String>,
}

impl AsynchronousInvocation {
    /// Reads `EventInvokeConfig` and `DeadLetterQueue` of a function.
    pub(crate) fn read(
        template: &Template,
        global: &Node<'_>,
        own: &Node<'_>,
    ) -> Result<Self, Error> {
        let either = |name: &str| own.optional(name).unwrap_or_else(|| global.member(name));
        let config = either("EventInvokeConfig");
        let queue = |node: Option<Node<'_>>| match node.map(|node| template.queue_at(&node)) {
            Some(Ok(QueueReference::Standard(queue))) => Ok(Some(queue)),
            Some(Err(error)) => Err(error),
            None | Some(Ok(QueueReference::Elsewhere(_))) => Ok(None),
        };
        let is_queue = |node: &Node<'_>| node.member("Type").value() == "SQS";
        let destination = config.member("DestinationConfig").member("OnFailure");
        let letters = either("DeadLetterQueue");
        Ok(Self {
            maximum_retry_attempts: RETRY_ATTEMPTS.of(&config, "MaximumRetryAttempts")?,
            maximum_event_age: EVENT_AGE.seconds(&config, "MaximumEventAgeInSeconds")?,
            failure_destination: queue(
                destination.optional("Destination").filter(|_| is_queue(&destination)),
            )?,
            dead_letter_queue: queue(letters.optional("TargetArn").filter(|_| is_queue(&letters)))?,
        })
    }
}
