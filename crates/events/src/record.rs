//! Reads which events the records of the table's stream become, each on its own.

use serde_json::value::RawValue;
use storefront_core::schema::{ItemType, TYPE};

use crate::json::Object;
use crate::stream::{self, Reason, Unreadable};
use crate::{Event, Message};

/// What a stream record means to subscribers.
#[derive(Debug)]
pub enum Record {
    /// Subscribers receive an event.
    Change(Change),
    /// Nothing, although the record is valid.
    Ignored,
    /// The record cannot be read.
    Unreadable(Unreadable),
}

/// A change that becomes an event, and its position in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The sequence number of the stream record.
    pub sequence_number: String,
    /// What happened.
    pub event: Event,
    /// The event as it is sent to the bus.
    pub message: Message,
}

const OLD_IMAGE: &str = "OldImage";
const NEW_IMAGE: &str = "NewImage";

impl Record {
    /// Reads a record of the stream.
    #[must_use]
    pub fn read(json: &RawValue) -> Self {
        match stream::read(json, event) {
            Ok((_, None)) => Self::Ignored,
            Ok((sequence_number, Some((event, message)))) => {
                Self::Change(Change { sequence_number, event, message })
            }
            Err(unreadable) => Self::Unreadable(unreadable),
        }
    }
}

/// Returns the event of a record; `None` if subscribers receive nothing.
fn event(record: &Object<'_>, change: &Object<'_>) -> Result<Option<(Event, Message)>, Reason> {
    let Some(event) = Event::caused_by(&Write::read(record, change)?)? else { return Ok(None) };
    let message = Message::try_from(&event).map_err(|_| Reason::Detail)?;
    Ok(Some((event, message)))
}

/// A write to an item of the table.
pub(crate) struct Write<'a> {
    name: WriteName,
    old: Image<'a>,
    new: Image<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum WriteName {
    Insert,
    Modify,
    Remove,
}

impl<'a> Write<'a> {
    fn read(record: &Object<'a>, change: &Object<'a>) -> Result<Self, Reason> {
        Ok(Self {
            name: record.get("eventName").ok_or(Reason::EventName)?,
            old: Image::of(change, OLD_IMAGE),
            new: Image::of(change, NEW_IMAGE),
        })
    }

    /// Returns an item of this type before and after its change; `None` if it is no change of one.
    pub(crate) fn modified(
        &self,
        item_type: ItemType,
    ) -> Result<Option<(&Image<'a>, &Image<'a>)>, Reason> {
        if self.name != WriteName::Modify {
            return Ok(None);
        }
        match (self.old.item_type(), self.new.item_type()) {
            (Some(old), Some(new)) if old == item_type.as_str() && new == item_type.as_str() => {
                Ok(Some((&self.old, &self.new)))
            }
            (Some(_), Some(_)) => Ok(None),
            // One image is not of the type, so the other one does not matter.
            (Some(known), None) | (None, Some(known)) if known != item_type.as_str() => Ok(None),
            (None, _) => Err(Reason::Image(OLD_IMAGE)),
            (_, None) => Err(Reason::Image(NEW_IMAGE)),
        }
    }
}

/// An item as it was before or after the change.
pub(crate) struct Image<'a> {
    name: &'static str,
    item: Option<Object<'a>>,
}

impl<'a> Image<'a> {
    /// An image that the stream omits may also arrive as an empty object. Neither has a type.
    fn of(change: &Object<'a>, name: &'static str) -> Self {
        Self { name, item: change.object(name) }
    }

    fn item_type(&self) -> Option<String> {
        self.item.as_ref()?.text(TYPE)
    }

    pub(crate) fn text<T: serde::Deserialize<'a>>(
        &self,
        attribute: &'static str,
    ) -> Result<T, Reason> {
        self.item.as_ref().and_then(|item| item.text(attribute)).ok_or(self.malformed(attribute))
    }

    pub(crate) fn number<T: std::str::FromStr>(
        &self,
        attribute: &'static str,
    ) -> Result<T, Reason> {
        self.item.as_ref().and_then(|item| item.number(attribute)).ok_or(self.malformed(attribute))
    }

    fn malformed(&self, attribute: &'static str) -> Reason {
        Reason::Attribute { image: self.name, attribute }
    }
}
