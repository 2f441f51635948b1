use serde_json::value::RawValue;
use storefront_events::{Change, Message, Record};

/// An event that was given up. Nothing in `redrive` depends on its kind.
pub(crate) struct Event {
    pub(crate) message: Message,
    /// What happened, without the data of a customer.
    pub(crate) outline: String,
}

/// What a record that was given up holds.
pub(crate) enum GivenUp {
    Event(Event),
    /// Nothing that a subscriber would have heard of.
    Ignored,
    /// It cannot be read, neither then nor now.
    Unreadable {
        sequence_number: Option<String>,
        reason: String,
    },
}

impl GivenUp {
    /// Reads a record of the stream, as the function does that publishes.
    pub(crate) fn read(record: &RawValue) -> Self {
        match Record::read(record) {
            Record::Change(Change { event, message, .. }) => {
                Self::Event(Event { message, outline: event.outline() })
            }
            Record::Ignored => Self::Ignored,
            Record::Unreadable(record) => Self::Unreadable {
                sequence_number: record.sequence_number,
                reason: record.reason.to_string(),
            },
        }
    }
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.message.envelope.event_id, self.outline)
    }
}
