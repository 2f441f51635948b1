//! For who delivers again what the stream has given up: the function's own reading of records and
//! its own events, without an invocation around them.

use serde_json::value::RawValue;

use crate::Consumer;
use crate::publish::NotDelivered;
use crate::record::{Change, Record};

/// What there is to do about a record that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// To publish a change.
    Change(Change),
    /// Nothing: no subscriber would have heard of it.
    Ignored,
    /// It cannot be read: neither then nor now.
    Unreadable {
        /// Its sequence number, if that at least can be read.
        sequence_number: Option<String>,
        /// Why. Repeats nothing of what the record holds.
        reason: String,
    },
}

impl GivenUp {
    /// Reads a record as the function does.
    #[must_use]
    pub fn read(record: &RawValue) -> Self {
        match Record::decode(record) {
            Record::Change(change) => Self::Change(change),
            Record::Ignored => Self::Ignored,
            Record::Unreadable(record) => Self::Unreadable {
                sequence_number: record.sequence_number,
                reason: record.reason.to_string(),
            },
        }
    }
}

/// Why a change was not published. Repeats nothing of what the event holds.
#[derive(Debug, thiserror::Error)]
#[error("{}{}{not_delivered}", .not_delivered.code().unwrap_or_default(), separator(.not_delivered))]
pub struct NotPublished {
    not_delivered: NotDelivered,
}

impl NotPublished {
    /// Whether EventBridge took the call and refused this event in it. Otherwise it did not take
    /// the call, and will hardly take the next one.
    #[must_use]
    pub fn is_of_this_event(&self) -> bool {
        matches!(self.not_delivered, NotDelivered::Refused { .. })
    }
}

fn separator(not_delivered: &NotDelivered) -> &'static str {
    if not_delivered.code().is_some() { ": " } else { "" }
}

impl Consumer {
    /// Publishes changes in this order and stops at the first that is not taken. Says how many were
    /// taken before it; of those after it, up to nine may have been taken as well.
    pub async fn publish(&self, changes: &[Change]) -> (usize, Option<NotPublished>) {
        let (delivered, failure) = self.publisher.publish(changes, None).await;
        (delivered, failure.map(|not_delivered| NotPublished { not_delivered }))
    }
}
