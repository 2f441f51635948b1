use std::time::Duration;

use crate::error::Error;
use crate::filter;
use crate::intrinsics::logical_id;
use crate::node::Node;
use crate::template::Template;

pub(crate) const QUEUE: &str = "AWS::SQS::Queue";
/// The type of a function's event that is a queue.
pub(crate) const EVENT: &str = "SQS";

/// Values that SQS and Lambda accept, and what they take if none is given. Times are in seconds.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
/// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>
const VISIBILITY_TIMEOUT: Numbers = Numbers { from: 0, to: 43_200, default: 30 };
const DELAY: Numbers = Numbers { from: 0, to: 900, default: 0 };
const RETENTION: Numbers = Numbers { from: 60, to: 1_209_600, default: 345_600 };
const MAXIMUM_RECEIVES: Numbers = Numbers { from: 1, to: 1000, default: 10 };
const BATCH_SIZE: Numbers = Numbers { from: 1, to: 10_000, default: 10 };
const BATCHING_WINDOW: Numbers = Numbers { from: 0, to: 300, default: 0 };
const MAXIMUM_CONCURRENCY: Numbers = Numbers { from: 2, to: 1000, default: 2 };
/// Larger batches need a batching window.
const BATCH_SIZE_WITHOUT_WINDOW: u32 = 10;

/// A standard queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Its name in the template.
    pub logical_id: String,
    /// How long a message is hidden from others after it has been received.
    pub visibility_timeout: Duration,
    /// How long a message is hidden after it has been sent.
    pub delay: Duration,
    /// How long a message is kept.
    pub retention: Duration,
    /// Where messages go that are received again and again.
    pub redrive: Option<Redrive>,
}

/// What becomes of messages that nobody could process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// The logical id of the dead-letter queue.
    pub dead_letter_queue: String,
    /// How often a message is received before it is moved.
    pub maximum_receives: u32,
}

/// The event source mapping from a queue to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMapping {
    /// The logical id of the function.
    pub function: String,
    /// The logical id of the queue.
    pub queue: String,
    /// The maximum number of messages per invocation.
    pub batch_size: usize,
    /// How long to wait for a batch to fill.
    pub batching_window: Duration,
    /// Patterns in EventBridge's JSON syntax. A message must match one, or it is deleted. If there
    /// are none, every message matches.
    pub filters: Vec<String>,
    /// Whether the function's `batchItemFailures` are evaluated.
    pub report_batch_item_failures: bool,
    /// How many batches may be processed at once. `None` means as many as Lambda allows.
    pub maximum_concurrency: Option<usize>,
}

/// A queue that something refers to.
pub(crate) enum QueueReference {
    /// A standard queue of the template, by logical id.
    Standard(String),
    /// A queue that the local cloud does not run, and why.
    Elsewhere(&'static str),
}

impl Template {
    /// Returns the standard queues, by logical id.
    pub fn queues(&self) -> Result<Vec<Queue>, Error> {
        let mut queues = Vec::new();
        for (id, resource) in self.resources(QUEUE)? {
            let properties = resource.member("Properties");
            if is_fifo(&properties)? {
                continue;
            }
            queues.push(Queue {
                logical_id: id.to_owned(),
                visibility_timeout: VISIBILITY_TIMEOUT.seconds(&properties, "VisibilityTimeout")?,
                delay: DELAY.seconds(&properties, "DelaySeconds")?,
                retention: RETENTION.seconds(&properties, "MessageRetentionPeriod")?,
                redrive: self.redrive(&properties)?,
            });
        }
        Ok(queues)
    }

    fn redrive(&self, properties: &Node<'_>) -> Result<Option<Redrive>, Error> {
        let Some(policy) = properties.optional("RedrivePolicy") else {
            return Ok(None);
        };
        let maximum_receives = MAXIMUM_RECEIVES.of(&policy, "maxReceiveCount")?;
        Ok(match self.queue_at(&policy.member("deadLetterTargetArn"))? {
            QueueReference::Standard(dead_letter_queue) => {
                Some(Redrive { dead_letter_queue, maximum_receives })
            }
            QueueReference::Elsewhere(_) => None,
        })
    }

    /// Returns the enabled mappings of the queues that the local cloud runs.
    pub fn queue_mappings(&self) -> Result<Vec<QueueMapping>, Error> {
        let queues = self.queues()?;
        let mut mappings = Vec::new();
        for (function, event) in self.events(EVENT)? {
            let mapping = match self.queue_at(&event.member("Queue"))? {
                QueueReference::Standard(queue) => QueueMapping::read(function, queue, &event)?,
                QueueReference::Elsewhere(_) => continue,
            };
            self.require_time_to_process(&mapping, &queues, &event)?;
            if event.optional("Enabled").map_or(Ok(true), |enabled| enabled.flag())? {
                mappings.push(mapping);
            }
        }
        Ok(mappings)
    }

    /// Lambda rejects such a mapping: another invocation would get messages that are still being
    /// processed.
    fn require_time_to_process(
        &self,
        mapping: &QueueMapping,
        queues: &[Queue],
        event: &Node<'_>,
    ) -> Result<(), Error> {
        let functions = self.functions()?;
        let queue = queues.iter().find(|queue| queue.logical_id == mapping.queue);
        match (queue, functions.get(&mapping.function)) {
            (Some(queue), Some(function)) if queue.visibility_timeout < function.timeout => {
                Err(event.member("Queue").unexpected(format!(
                    "a queue whose VisibilityTimeout ({} s) is at least the function's Timeout \
                     ({} s)",
                    queue.visibility_timeout.as_secs(),
                    function.timeout.as_secs()
                )))
            }
            _ => Ok(()),
        }
    }

    /// Finds the queue that a property refers to.
    pub(crate) fn queue_at(&self, node: &Node<'_>) -> Result<QueueReference, Error> {
        const OUTSIDE: QueueReference = QueueReference::Elsewhere("a queue outside the template");
        let wanted = "!GetAtt QUEUE.Arn of an AWS::SQS::Queue in the template";
        let Some(id) = logical_id(node.value()) else {
            let is_arn = node.value().as_str().is_some_and(|text| text.starts_with("arn:"));
            return if is_arn { Ok(OUTSIDE) } else { Err(node.unexpected(wanted)) };
        };
        // Such as `AWS::AccountId` in the ARN of another queue.
        if id.starts_with("AWS::") {
            return Ok(OUTSIDE);
        }
        let resource = self.root().member("Resources").member(id);
        if resource.member("Type").value() != QUEUE {
            return Err(node.unexpected(wanted));
        }
        Ok(if is_fifo(&resource.member("Properties"))? {
            QueueReference::Elsewhere("a FIFO queue")
        } else {
            QueueReference::Standard(id.to_owned())
        })
    }
}

impl QueueMapping {
    fn read(function: String, queue: String, event: &Node<'_>) -> Result<Self, Error> {
        let batch_size = BATCH_SIZE.of(event, "BatchSize")?;
        let batching_window = BATCHING_WINDOW.seconds(event, "MaximumBatchingWindowInSeconds")?;
        if batch_size > BATCH_SIZE_WITHOUT_WINDOW && batching_window.is_zero() {
            return Err(event.member("BatchSize").unexpected(
                "at most 10, or a MaximumBatchingWindowInSeconds of at least 1 beside it",
            ));
        }
        let scaling = event.member("ScalingConfig");
        let maximum_concurrency = match scaling.optional("MaximumConcurrency") {
            Some(_) => {
                let maximum = MAXIMUM_CONCURRENCY.of(&scaling, "MaximumConcurrency")?;
                Some(usize::try_from(maximum).unwrap_or(usize::MAX))
            }
            None => None,
        };
        Ok(Self {
            function,
            queue,
            batch_size: usize::try_from(batch_size).unwrap_or(usize::MAX),
            batching_window,
            filters: filter::patterns(event)?,
            report_batch_item_failures: filter::reports_batch_item_failures(event)?,
            maximum_concurrency,
        })
    }
}

/// Returns whether a queue is a FIFO queue, which the local cloud does not run.
pub(crate) fn is_fifo(properties: &Node<'_>) -> Result<bool, Error> {
    let has_suffix = |name: &Node<'_>| {
        // Of `!Sub "${Name}.fifo"`, the end is known even if the whole is not.
        let text = name.value().get("Fn::Sub").unwrap_or(name.value());
        let end = text.as_str().and_then(|text| text.rsplit_once('.'));
        end.is_some_and(|(_, end)| end == "fifo")
    };
    match properties.optional("FifoQueue") {
        Some(flag) => flag.flag(),
        None => Ok(properties.optional("QueueName").is_some_and(|name| has_suffix(&name))),
    }
}

/// The range of a property and its default.
pub(crate) struct Numbers {
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) default: u32,
}

impl Numbers {
    pub(crate) fn of(&self, parent: &Node<'_>, name: &str) -> Result<u32, Error> {
        let Some(node) = parent.optional(name) else {
            return Ok(self.default);
        };
        let number = u32::try_from(node.number()?).ok();
        number.filter(|number| (self.from..=self.to).contains(number)).ok_or_else(|| {
            node.unexpected(format!("a whole number from {} to {}", self.from, self.to))
        })
    }

    pub(crate) fn seconds(&self, parent: &Node<'_>, name: &str) -> Result<Duration, Error> {
        Ok(Duration::from_secs(self.of(parent, name)?.into()))
    }
}
