//! The shop's events: what subscribers receive, and how they are published.
//!
//! An [`Event`] can be deserialized from what EventBridge delivers, so a subscriber written in Rust
//! needs only this crate and none of the functions. For all others, `events/schemas/` at the top of
//! the repository has a JSON Schema of the `detail` of each kind of event.
//!
//! With the feature `publish` the crate also turns records of the table's stream into events
//! ([`Record`]) and sends them to a bus ([`Publisher`]). With `stream` alone, it only tells which
//! item a record is about ([`Keys`]), for a consumer that publishes nothing.

mod event;
mod order_payment_changed;
mod order_placed;
mod order_state;
mod order_status_changed;
#[cfg(test)]
mod schemas;

#[cfg(feature = "stream")]
mod json;
#[cfg(feature = "publish")]
mod message;
#[cfg(feature = "publish")]
mod order_write;
#[cfg(feature = "publish")]
mod publish;
#[cfg(feature = "publish")]
mod record;
#[cfg(feature = "stream")]
mod stream;

pub use event::{Envelope, EventId, InvalidEventId};
pub use order_payment_changed::OrderPaymentChanged;
pub use order_placed::OrderPlaced;
pub use order_state::OrderState;
pub use order_status_changed::OrderStatusChanged;

#[cfg(feature = "publish")]
pub use message::Message;
#[cfg(feature = "publish")]
pub use publish::{NotPublished, Publisher, eventbridge};
#[cfg(feature = "publish")]
pub use record::{Change, Record};
#[cfg(feature = "stream")]
pub use stream::{Keys, Reason, Unreadable};

event::events! {
    /// A customer placed an order.
    OrderPlaced,
    /// An order went from one status to another.
    OrderStatusChanged,
    /// The payment of an order changed, and its status did not.
    OrderPaymentChanged,
}
