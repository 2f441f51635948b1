//! What is the same in all records of the table's stream, whatever has changed.

use serde_json::value::RawValue;
use storefront_core::schema::{PK, SK};

use crate::json::Object;

/// The item that a record is about, and the record's position in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The sequence number of the stream record.
    pub sequence_number: String,
    /// The item's partition key.
    pub partition_key: String,
    /// The item's sort key.
    pub sort_key: String,
}

/// A record that cannot be read, and what a log may say about it: its position and its item's keys,
/// but none of the item's data.
#[derive(Debug)]
pub struct Unreadable {
    /// Its sequence number, if it can be read.
    pub sequence_number: Option<String>,
    /// The item's partition key, if it can be read.
    pub partition_key: Option<String>,
    /// The item's sort key, if it can be read.
    pub sort_key: Option<String>,
    /// What is wrong.
    pub reason: Reason,
}

/// Why a record cannot be read. No message repeats a value from the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages describe them")]
pub enum Reason {
    #[error("the record is not a JSON object with a `dynamodb` object in it")]
    Shape,
    #[error("the record has no sequence number")]
    SequenceNumber,
    #[error("the record's event name is not INSERT, MODIFY or REMOVE")]
    EventName,
    #[error("the record's keys are missing or belong to no item of the shop")]
    Keys,
    #[error("the {0} is missing or has no type")]
    Image(&'static str),
    #[error("the {image}'s attribute `{attribute}` is missing or malformed")]
    Attribute { image: &'static str, attribute: &'static str },
    #[error("the event cannot be written as JSON")]
    Detail,
}

impl Keys {
    /// Reads the keys of a record, and nothing else of it.
    pub fn read(record: &RawValue) -> Result<Self, Unreadable> {
        let (sequence_number, (partition_key, sort_key)) = read(record, |_, change| {
            let keys = change.object("Keys").ok_or(Reason::Keys)?;
            keys.text(PK).zip(keys.text(SK)).ok_or(Reason::Keys)
        })?;
        Ok(Self { sequence_number, partition_key, sort_key })
    }

    /// The record cannot be read for this reason, although its keys can.
    #[must_use]
    pub fn unreadable(self, reason: Reason) -> Unreadable {
        Unreadable {
            sequence_number: Some(self.sequence_number),
            partition_key: Some(self.partition_key),
            sort_key: Some(self.sort_key),
            reason,
        }
    }
}

impl Unreadable {
    /// Logs it for an operator, who finds the item by its keys.
    pub fn log(&self) {
        tracing::error!(
            record.sequence_number = self.sequence_number,
            record.pk = self.partition_key,
            record.sk = self.sort_key,
            reason = %self.reason,
            "a record cannot be read"
        );
    }
}

/// Reads a record's sequence number, and with `read` what a consumer wants to know of the record
/// and of the change in it.
pub(crate) fn read<'a, T>(
    json: &'a RawValue,
    read: impl FnOnce(&Object<'a>, &Object<'a>) -> Result<T, Reason>,
) -> Result<(String, T), Unreadable> {
    let record = Object::parse(json);
    let change = record.as_ref().and_then(|record| record.object("dynamodb"));
    let sequence_number = change
        .as_ref()
        .and_then(|change| change.get::<String>("SequenceNumber"))
        .filter(|number| !number.is_empty());

    let reason = match (&record, &change, &sequence_number) {
        (Some(record), Some(change), Some(number)) => match read(record, change) {
            Ok(read) => return Ok((number.clone(), read)),
            Err(reason) => reason,
        },
        (Some(_), Some(_), None) => Reason::SequenceNumber,
        _ => Reason::Shape,
    };

    let keys = change.and_then(|change| change.object("Keys"));
    let key = |name| keys.as_ref().and_then(|keys| keys.text::<String>(name));
    Err(Unreadable { sequence_number, partition_key: key(PK), sort_key: key(SK), reason })
}
