//! Reads the stream of the embedded database.

use dynoxide::Database;
use dynoxide::actions::get_shard_iterator::GetShardIteratorRequest;
use dynoxide::actions::{describe_stream, get_records, list_streams};
use quamina::Quamina;

use super::record::Record;
use crate::Error;

/// What one read looks at, matching or not.
const READ_LIMIT: usize = 1000;

pub(crate) struct Source {
    database: Database,
    stream_arn: String,
    shard_id: String,
    filter: Filter,
    /// The last record that was read; `None` is the oldest that there is (`TRIM_HORIZON`).
    position: Option<String>,
}

impl Source {
    pub(crate) fn new(database: Database, table_name: &str, filter: Filter) -> Result<Self, Error> {
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
        // The embedded database has one shard for good.
        let shard = shards.into_iter().next().ok_or(Error::NoStream)?;
        Ok(Self {
            database,
            stream_arn: stream.stream_arn,
            shard_id: shard.shard_id,
            filter,
            position: None,
        })
    }

    pub(crate) fn stream_arn(&self) -> &str {
        &self.stream_arn
    }

    pub(crate) fn shard_id(&self) -> &str {
        &self.shard_id
    }

    pub(crate) fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }

    pub(crate) fn start_after(&mut self, sequence_number: String) {
        self.position = Some(sequence_number);
    }

    /// The next records that the filter lets through; moves on past the others too.
    pub(crate) fn read(&mut self) -> Result<Vec<Record>, Error> {
        let after = match self.position {
            Some(_) => "AFTER_SEQUENCE_NUMBER",
            None => "TRIM_HORIZON",
        };
        let iterator = self.database.get_shard_iterator(GetShardIteratorRequest {
            stream_arn: self.stream_arn.clone(),
            shard_id: self.shard_id.clone(),
            shard_iterator_type: after.to_owned(),
            sequence_number: self.position.clone(),
        })?;
        let answer = self.database.get_records(get_records::GetRecordsRequest {
            shard_iterator: iterator.shard_iterator.unwrap_or_default(),
            limit: Some(READ_LIMIT),
        })?;
        let mut matching = Vec::new();
        for record in &answer.records {
            let record = Record::new(record, &self.stream_arn)?;
            if self.filter.matches(&record)? {
                matching.push(record);
            }
        }
        // Only now, so that what could not be looked at is read again.
        if let Some(last) = answer.records.last() {
            self.position = Some(last.dynamodb.sequence_number.clone());
        }
        Ok(matching)
    }
}

/// The event source mapping's filter: a record must match one of its patterns.
pub(crate) struct Filter(Matches);

type Matches = Box<dyn Fn(&Record) -> Result<bool, Error> + Send>;

impl Filter {
    pub(crate) fn new(patterns: &[String]) -> Result<Self, Error> {
        if patterns.is_empty() {
            return Ok(Self::by(|_| Ok(true)));
        }
        let mut quamina = Quamina::new();
        for (index, pattern) in patterns.iter().enumerate() {
            quamina.add_pattern(index, pattern).map_err(|error| Error::Filter {
                pattern: pattern.clone(),
                message: error.to_string(),
            })?;
        }
        Ok(Self::by(move |record| {
            quamina
                .has_matches(record.event.to_string().as_bytes())
                .map_err(|error| Error::Unfilterable(error.to_string()))
        }))
    }

    pub(crate) fn by(matches: impl Fn(&Record) -> Result<bool, Error> + Send + 'static) -> Self {
        Self(Box::new(matches))
    }

    pub(crate) fn matches(&self, record: &Record) -> Result<bool, Error> {
        (self.0)(record)
    }
}
