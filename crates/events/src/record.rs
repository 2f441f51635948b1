//! Reads which events the records of the table's stream become, each on its own.

use std::cell::OnceCell;

use serde_json::value::RawValue;
use storefront_core::Order;
use storefront_core::schema::{ItemType, TYPE};

use crate::json::Object;
use crate::order_write::OrderWrite;
use crate::stream::{self, Reason, Unreadable};
use crate::{Event, Message};

/// What a stream record means to subscribers.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "most records are changes")]
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
    /// Read once, for all kinds of event.
    order: OnceCell<Result<Option<OrderWrite>, Reason>>,
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
            order: OnceCell::new(),
        })
    }

    /// The order that this write placed, if it did.
    pub(crate) fn placed_order(&self) -> Result<Option<&Order>, Reason> {
        Ok(match self.order()? {
            Some(OrderWrite { before: None, after }) => Some(after),
            _ => None,
        })
    }

    /// The order before and after this write, if it made a new version of an order.
    pub(crate) fn changed_order(&self) -> Result<Option<(&Order, &Order)>, Reason> {
        Ok(match self.order()? {
            Some(OrderWrite { before: Some(before), after }) => Some((before, after)),
            _ => None,
        })
    }

    fn order(&self) -> Result<Option<&OrderWrite>, Reason> {
        let read = self.order.get_or_init(|| match self.name {
            WriteName::Insert if self.inserted(ItemType::Order)? => OrderWrite::placed(&self.new),
            WriteName::Modify if self.modified(ItemType::Order)? => {
                OrderWrite::changed(&self.old, &self.new)
            }
            _ => Ok(None),
        });
        read.as_ref().map(Option::as_ref).map_err(|reason| *reason)
    }

    /// Whether the item is new, and of this type.
    fn inserted(&self, item_type: ItemType) -> Result<bool, Reason> {
        let new = self.new.item_type().ok_or(Reason::Image(NEW_IMAGE))?;
        Ok(new == item_type.as_str())
    }

    /// Whether the item is of this type, and was before.
    fn modified(&self, item_type: ItemType) -> Result<bool, Reason> {
        match (self.old.item_type(), self.new.item_type()) {
            (Some(old), Some(new)) => Ok(old == item_type.as_str() && new == item_type.as_str()),
            // One image is not of the type, so the other one does not matter.
            (Some(known), None) | (None, Some(known)) if known != item_type.as_str() => Ok(false),
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

    /// Whether the item has this attribute; `NULL` counts as absent.
    pub(crate) fn has(&self, attribute: &str) -> bool {
        self.item.as_ref().is_some_and(|item| item.has(attribute))
    }

    pub(crate) fn text<T: serde::Deserialize<'a>>(
        &self,
        attribute: &'static str,
    ) -> Result<T, Reason> {
        self.required(attribute, |item| item.text(attribute))
    }

    pub(crate) fn number<T: std::str::FromStr>(
        &self,
        attribute: &'static str,
    ) -> Result<T, Reason> {
        self.required(attribute, |item| item.number(attribute))
    }

    pub(crate) fn required<T>(
        &self,
        attribute: &'static str,
        read: impl FnOnce(&Object<'a>) -> Option<T>,
    ) -> Result<T, Reason> {
        self.item.as_ref().and_then(read).ok_or(self.malformed(attribute))
    }

    /// Reads an attribute that may be absent.
    pub(crate) fn optional<T>(
        &self,
        attribute: &'static str,
        read: impl FnOnce(&Self, &'static str) -> Result<T, Reason>,
    ) -> Result<Option<T>, Reason> {
        self.has(attribute).then(|| read(self, attribute)).transpose()
    }

    pub(crate) fn malformed(&self, attribute: &'static str) -> Reason {
        Reason::Attribute { image: self.name, attribute }
    }
}
