use dynoxide::actions::get_records;
use jiff::Timestamp;
use serde_json::{Value, json};

/// A record of the table's stream.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) sequence_number: String,
    pub(crate) written_at: Timestamp,
    /// The record as functions receive it.
    pub(crate) event: Value,
}

impl Record {
    pub(crate) fn new(record: &get_records::Record, stream_arn: &str) -> serde_json::Result<Self> {
        let mut event = serde_json::to_value(record)?;
        event["eventSourceARN"] = stream_arn.into();
        let seconds = record.dynamodb.approximate_creation_date_time;
        // Lambda passes whole seconds, as an integer.
        #[allow(clippy::cast_possible_truncation, reason = "a time in seconds fits")]
        let seconds = seconds as i64;
        event["dynamodb"]["ApproximateCreationDateTime"] = seconds.into();
        Ok(Self {
            sequence_number: record.dynamodb.sequence_number.clone(),
            written_at: Timestamp::from_second(seconds).unwrap_or_default(),
            event,
        })
    }
}

/// Returns the event for an invocation.
pub(crate) fn event(records: &[Record]) -> Value {
    json!({ "Records": records.iter().map(|record| &record.event).collect::<Vec<_>>() })
}
