//! Reads and filters a stream.

use dynoxide::Database;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::{describe_stream, get_records, list_streams};

use super::record::Record;
use crate::Error;
use crate::pattern::Patterns;

/// The maximum number of records per read, before filtering.
const READ_LIMIT: usize = 1000;

/// The one shard of a table's stream.
pub(crate) trait Shard: Send {
    fn stream_arn(&self) -> &str;

    fn shard_id(&self) -> &str;

    /// Returns the records after this one, or from the oldest (`TRIM_HORIZON`).
    fn after(&self, position: Option<&str>) -> Result<Vec<Record>, Error>;
}

pub(crate) struct Source {
    shard: Box<dyn Shard>,
    filter: Filter,
    /// The last record that was read.
    position: Option<String>,
}

impl Source {
    pub(crate) fn new(shard: impl Shard + 'static, filter: Filter) -> Self {
        Self { shard: Box::new(shard), filter, position: None }
    }

    pub(crate) fn stream_arn(&self) -> &str {
        self.shard.stream_arn()
    }

    pub(crate) fn shard_id(&self) -> &str {
        self.shard.shard_id()
    }

    pub(crate) fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }

    pub(crate) fn start_after(&mut self, sequence_number: String) {
        self.position = Some(sequence_number);
    }

    /// Returns the next records that match the filter, and skips the others.
    pub(crate) fn read(&mut self) -> Result<Vec<Record>, Error> {
        let records = self.shard.after(self.position.as_deref())?;
        let last = records.last().map(|record| record.sequence_number.clone());
        self.position = last.or(self.position.take());
        Ok(records.into_iter().filter(|record| self.filter.matches(record)).collect())
    }
}

/// The stream of the embedded database, which always has one shard.
pub(crate) struct EmbeddedShard {
    database: Database,
    stream_arn: String,
    shard_id: String,
}

impl EmbeddedShard {
    pub(crate) fn of(database: Database, table_name: &str) -> Result<Self, Error> {
        let request = list_streams::ListStreamsRequest {
            table_name: Some(table_name.to_owned()),
            ..Default::default()
        };
        let streams = database.list_streams(request)?.streams;
        let stream = streams.into_iter().next().ok_or(Error::NoStream)?;
        let request = describe_stream::DescribeStreamRequest {
            stream_arn: stream.stream_arn.clone(),
            ..Default::default()
        };
        let shards = database.describe_stream(request)?.stream_description.shards;
        let shard = shards.into_iter().next().ok_or(Error::NoStream)?;
        Ok(Self { database, stream_arn: stream.stream_arn, shard_id: shard.shard_id })
    }
}

impl Shard for EmbeddedShard {
    fn stream_arn(&self) -> &str {
        &self.stream_arn
    }

    fn shard_id(&self) -> &str {
        &self.shard_id
    }

    fn after(&self, position: Option<&str>) -> Result<Vec<Record>, Error> {
        let kind = if position.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
        let iterator = self.database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: self.stream_arn.clone(),
            shard_id: self.shard_id.clone(),
            shard_iterator_type: kind.to_owned(),
            sequence_number: position.map(str::to_owned),
        })?;
        let answer = self.database.get_records(get_records::GetRecordsRequest {
            shard_iterator: iterator.shard_iterator.unwrap_or_default(),
            limit: Some(READ_LIMIT),
        })?;
        let records = answer.records.iter();
        Ok(records
            .map(|record| Record::new(record, &self.stream_arn))
            .collect::<serde_json::Result<_>>()?)
    }
}

/// The event source mapping's filter: a record must match one of its patterns.
///
/// A record that the filter cannot read passes, so that the function reports it. Otherwise it would
/// block the stream, or be lost without notice.
pub(crate) struct Filter(Option<Patterns>);

impl Filter {
    pub(crate) fn new(patterns: &[String]) -> Result<Self, Error> {
        Ok(Self(if patterns.is_empty() { None } else { Some(Patterns::new(patterns)?) }))
    }

    fn matches(&self, record: &Record) -> bool {
        let Some(patterns) = &self.0 else {
            return true;
        };
        patterns.match_any(&record.event.to_string()).unwrap_or_else(|error| {
            let number = &record.sequence_number;
            tracing::warn!("record {number} cannot be filtered: {error}");
            true
        })
    }
}
