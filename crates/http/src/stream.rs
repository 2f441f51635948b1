//! What the consumers of the table's stream share: batches, and the answers to them.

use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use serde::Deserialize;
use serde_json::value::RawValue;

pub use crate::invocation::deadline;

/// The answer to a batch: the records that failed.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>
pub type BatchAnswer = DynamoDbEventResponse;

/// A batch of the event source mapping. Its records are not parsed yet, so that a malformed one
/// cannot fail its batch.
#[derive(Clone, Deserialize)]
pub struct StreamBatch {
    /// The records, in the stream's order.
    #[serde(rename = "Records")]
    pub records: Vec<Box<RawValue>>,
}

/// Returns the answer that names these records by their sequence numbers. Lambda acknowledges the
/// records before the lowest, and delivers the rest again; with an empty number it delivers all of
/// the batch again.
pub fn failed(sequence_numbers: impl IntoIterator<Item = String>) -> BatchAnswer {
    let failures = sequence_numbers.into_iter().map(|number| {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(number);
        failure
    });
    let mut answer = BatchAnswer::default();
    answer.batch_item_failures = failures.collect();
    answer
}
