use serde_json::value::RawValue;
use storefront_events::{Change, Message, Record};

/// An event that was not delivered. Nothing in `redrive` depends on its kind.
pub(crate) struct Event {
    pub(crate) message: Message,
    /// What happened, without customer data.
    pub(crate) outline: String,
}

/// The contents of a record that was given up or put aside.
pub(crate) enum GivenUp {
    Event(Event),
    /// Nothing that would have been published.
    Ignored,
    /// The function could not read it, and neither can this program.
    Unreadable {
        sequence_number: Option<String>,
        reason: String,
    },
}

impl GivenUp {
    /// Reads a stream record with the code of the publishing function.
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
