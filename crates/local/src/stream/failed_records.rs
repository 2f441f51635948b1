//! The on-failure destination: what Lambda would put into the S3 bucket, as a file.

use std::fs;
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::checkpoint::write_durably;
use super::record::{Record, event};

/// Why records are given up.
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

pub(crate) struct FailedRecords {
    folder: Option<PathBuf>,
    function: String,
    stream_arn: String,
    shard_id: String,
}

impl FailedRecords {
    /// Without a folder, records that are given up are only logged.
    pub(crate) fn new(
        folder: Option<PathBuf>,
        function: &str,
        stream_arn: &str,
        shard_id: &str,
    ) -> Self {
        Self {
            folder,
            function: function.to_owned(),
            stream_arn: stream_arn.to_owned(),
            shard_id: shard_id.to_owned(),
        }
    }

    pub(crate) async fn keep(&self, given_up: &GivenUp<'_>) -> io::Result<()> {
        let document = self.document(given_up);
        let (count, reason) = (given_up.records.len(), given_up.condition.name());
        let Some(folder) = &self.folder else {
            tracing::error!("stream: gave up {count} records ({reason}): {document}");
            return Ok(());
        };
        fs::create_dir_all(folder)?;
        let now = Timestamp::now().strftime("%Y-%m-%dT%H.%M.%S");
        let path = folder.join(format!("{now}-{}.json", Uuid::new_v4()));
        write_durably(path.clone(), serde_json::to_vec_pretty(&document)?).await?;
        tracing::error!("stream: gave up {count} records ({reason}), kept in {}", path.display());
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
