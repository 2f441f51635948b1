//! Batches of an SQS queue, and the answers to them.

use serde::{Deserialize, Serialize};

/// A batch of the event source mapping. The bodies of its messages are not parsed yet, so that one that
/// is malformed cannot fail its batch.
#[derive(Clone, Debug, Deserialize)]
pub struct QueueBatch {
    /// The messages, in no particular order.
    #[serde(rename = "Records")]
    pub messages: Vec<Message>,
}

/// A message of the queue.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The id that SQS gave it.
    pub message_id: String,
    /// The event, as EventBridge delivers it.
    pub body: String,
}

/// The answer to a batch. Lambda deletes the messages that it does not name, and SQS delivers the others
/// again when their visibility timeout ends.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    /// The messages that failed.
    pub batch_item_failures: Vec<BatchItemFailure>,
}

/// A message that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The message's id.
    pub item_identifier: String,
}

impl BatchAnswer {
    /// Names this message as failed.
    pub(crate) fn fail(&mut self, message: &Message) {
        self.batch_item_failures
            .push(BatchItemFailure { item_identifier: message.message_id.clone() });
    }
}
