//! The events of the shop: what subscribers receive, and how it is published.
//!
//! An [`Event`] reads itself from what EventBridge delivers, so a subscriber written in Rust needs
//! this crate and no function. For all others, `schemas/` describes the `detail` of each kind of
//! event as a JSON Schema.
//!
//! With the feature `publish` the crate also turns records of the table's stream into events
//! ([`Record`]) and sends them to a bus ([`Publisher`]).

mod event;
mod order_status_changed;
#[cfg(test)]
mod schemas;

#[cfg(feature = "publish")]
mod json;
#[cfg(feature = "publish")]
mod message;
#[cfg(feature = "publish")]
mod publish;
#[cfg(feature = "publish")]
mod record;

pub use event::{Envelope, Event, EventId, InvalidEventId};
pub use order_status_changed::OrderStatusChanged;

#[cfg(feature = "publish")]
pub use message::Message;
#[cfg(feature = "publish")]
pub use publish::{NotPublished, Publisher, eventbridge};
#[cfg(feature = "publish")]
pub use record::{Change, Reason, Record, Unreadable};
