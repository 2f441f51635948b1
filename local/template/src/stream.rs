use std::time::Duration;

use crate::error::Error;
use crate::filter;
use crate::node::Node;
use crate::template::Template;

/// The type of a function's event that is a table's stream.
pub(crate) const EVENT: &str = "DynamoDB";
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
const MAX_CONSUMERS: usize = 2;

/// The event source mapping from the table's stream to one of its consumers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamMapping {
    /// The logical id of the consumer.
    pub function: String,
    /// The maximum number of records per invocation.
    pub batch_size: usize,
    /// How long to wait for a batch to fill.
    pub batching_window: Duration,
    /// Patterns in EventBridge's JSON syntax. A record must match one. If there are none, every record matches.
    pub filters: Vec<String>,
    /// Whether the consumer's `batchItemFailures` are evaluated.
    pub report_batch_item_failures: bool,
    /// Whether a failed batch is retried in halves.
    pub bisect: bool,
    /// How often a failed batch is retried. `None` means until it is too old.
    pub maximum_retry_attempts: Option<u32>,
    /// The age after which records are given up. `None` means never.
    pub maximum_record_age: Option<Duration>,
    /// The logical id of the bucket that receives failed records.
    pub failure_bucket: Option<String>,
}

impl Template {
    /// Returns the mappings of the table's stream, by logical id of their functions. A function has
    /// at most one.
    pub fn stream_mappings(&self) -> Result<Vec<StreamMapping>, Error> {
        let events = self.events(EVENT)?;
        if let Some((_, event)) = events.get(MAX_CONSUMERS) {
            return Err(event.unexpected(
                "at most two functions that read the stream, because no more than two consumers \
                 per shard may read a stream at once, or reads are throttled",
            ));
        }
        let mut mappings = Vec::<StreamMapping>::new();
        for (function, event) in events {
            if mappings.iter().any(|mapping| mapping.function == function) {
                return Err(event.unexpected(
                    "one DynamoDB event per function, because Lambda rejects a second mapping of \
                     a stream to the same function",
                ));
            }
            mappings.push(StreamMapping::read(function, &event)?);
        }
        Ok(mappings)
    }

    /// Returns the mapping to this function, if it reads the table's stream.
    pub fn stream_mapping_of(&self, function: &str) -> Result<Option<StreamMapping>, Error> {
        let mut mappings = self.stream_mappings()?.into_iter();
        Ok(mappings.find(|mapping| mapping.function == function))
    }
}

impl StreamMapping {
    fn read(function: String, event: &Node<'_>) -> Result<Self, Error> {
        let position = event.member("StartingPosition");
        if position.text()? != "TRIM_HORIZON" {
            return Err(position.unexpected("TRIM_HORIZON, so that no change is lost"));
        }
        let number = |name: &str, default: i64| {
            event.optional(name).map_or(Ok(default), |node| node.number())
        };
        let flag = |name: &str| event.optional(name).map_or(Ok(false), |node| node.flag());
        let failure_bucket = match event.member("DestinationConfig").optional("OnFailure") {
            Some(destination) => {
                let kind = destination.member("Type");
                if kind.text()? != "S3" {
                    return Err(kind.unexpected("S3, which keeps the records themselves"));
                }
                Some(destination.member("Destination").resource()?)
            }
            None => None,
        };
        Ok(Self {
            function,
            batch_size: usize::try_from(number("BatchSize", 100)?).unwrap_or(1).max(1),
            batching_window: seconds(number("MaximumBatchingWindowInSeconds", 0)?)
                .unwrap_or_default(),
            filters: filter::patterns(event)?,
            report_batch_item_failures: filter::reports_batch_item_failures(event)?,
            bisect: flag("BisectBatchOnFunctionError")?,
            maximum_retry_attempts: number("MaximumRetryAttempts", -1)?.try_into().ok(),
            maximum_record_age: seconds(number("MaximumRecordAgeInSeconds", -1)?),
            failure_bucket,
        })
    }
}

/// Minus one means no limit.
fn seconds(number: i64) -> Option<Duration> {
    number.try_into().ok().map(Duration::from_secs)
}
