use crate::{Envelope, Event};

/// An event as it is sent to the bus. Sending does not depend on its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What the event has in common with all others.
    pub envelope: Envelope,
    /// The event's `source`.
    pub source: &'static str,
    /// The event's `detail-type`.
    pub kind: &'static str,
    /// The event's `detail`, as JSON.
    pub detail: String,
}

impl TryFrom<&Event> for Message {
    type Error = serde_json::Error;

    fn try_from(event: &Event) -> Result<Self, Self::Error> {
        Ok(Self {
            envelope: event.envelope(),
            source: event.source(),
            kind: event.kind(),
            detail: event.detail()?,
        })
    }
}
