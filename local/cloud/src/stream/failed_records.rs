//! The on-failure destination. Writes what Lambda would put into the S3 bucket to a file.

use std::fs;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::checkpoint::write_durably;
use super::record::{Record, event};

/// The folder in the data directory that stands for the bucket.
pub(crate) const FAILED_RECORDS: &str = "failed-records";

/// Why delivery of records was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

pub(crate) struct GivenUp<'a> {
    pub(crate) records: &'a [Record],
    pub(crate) condition: Condition,
    pub(crate) invocations: u32,
    pub(crate) is_function_error: bool,
}

/// Where failed records go.
pub(crate) enum Destination {
    /// The template has no on-failure destination, so Lambda discards them.
    Nowhere,
    /// The template has one, but nothing is kept after the process ends.
    Log,
    Folder(PathBuf),
    /// For tests.
    #[cfg(test)]
    Given(Box<dyn Fn(Value) -> io::Result<()> + Send + Sync>),
}

pub(crate) struct FailedRecords {
    destination: Destination,
    function: String,
    stream_arn: String,
    shard_id: String,
}

impl FailedRecords {
    pub(crate) fn new(
        destination: Destination,
        function: &str,
        stream_arn: &str,
        shard_id: &str,
    ) -> Self {
        Self {
            destination,
            function: function.to_owned(),
            stream_arn: stream_arn.to_owned(),
            shard_id: shard_id.to_owned(),
        }
    }

    /// Returns when the records are at their destination.
    pub(crate) async fn keep(&self, given_up: &GivenUp<'_>) -> io::Result<()> {
        let (count, reason) = (given_up.records.len(), given_up.condition.name());
        let folder = match &self.destination {
            Destination::Nowhere => {
                tracing::error!(
                    "gave up {count} records ({reason}), discarded: the template has no \
                     on-failure destination"
                );
                return Ok(());
            }
            Destination::Log => {
                let document = self.document(given_up);
                tracing::error!("gave up {count} records ({reason}): {document}");
                return Ok(());
            }
            #[cfg(test)]
            Destination::Given(keep) => return keep(self.document(given_up)),
            Destination::Folder(folder) => folder,
        };
        fs::create_dir_all(folder)?;
        let now = Timestamp::now().strftime("%Y-%m-%dT%H.%M.%S");
        let path = folder.join(format!("{now}-{}.json", Uuid::new_v4()));
        write_durably(path.clone(), serde_json::to_vec_pretty(&self.document(given_up))?).await?;
        tracing::error!("gave up {count} records ({reason}), kept in {}", path.display());
        Ok(())
    }

    fn document(&self, given_up: &GivenUp<'_>) -> Value {
        let first = given_up.records.first();
        let last = given_up.records.last();
        let sequence =
            |record: Option<&Record>| record.map(|record| record.sequence_number.clone());
        let arrival = |record: Option<&Record>| record.map(|record| record.written_at.to_string());
        let mut response = json!({ "statusCode": 200, "executedVersion": "$LATEST" });
        if given_up.is_function_error {
            response["functionError"] = "Unhandled".into();
        }
        json!({
            "requestContext": {
                "requestId": Uuid::new_v4().to_string(),
                "functionArn": format!(
                    "arn:aws:lambda:{}:{}:function:{}",
                    crate::REGION, crate::ACCOUNT, self.function,
                ),
                "condition": given_up.condition.name(),
                "approximateInvokeCount": given_up.invocations,
            },
            "responseContext": response,
            "version": "1.0",
            "timestamp": format!("{:.3}", Timestamp::now()),
            "DDBStreamBatchInfo": {
                "shardId": self.shard_id,
                "startSequenceNumber": sequence(first),
                "endSequenceNumber": sequence(last),
                "approximateArrivalOfFirstRecord": arrival(first),
                "approximateArrivalOfLastRecord": arrival(last),
                "batchSize": given_up.records.len(),
                "streamArn": self.stream_arn,
            },
            "payload": event(given_up.records).to_string(),
        })
    }
}

impl Condition {
    fn name(self) -> &'static str {
        match self {
            Self::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Self::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}
