//! What all events have in common.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use storefront_core::{RequestId, Timestamp, Version};
use uuid::Uuid;

#[cfg(feature = "publish")]
use crate::Reason;
#[cfg(feature = "publish")]
use crate::record::Write;

/// The `detail` of one kind of event, which has the kind's name.
pub(crate) trait Detail: Serialize + Sized {
    /// The event's `source`.
    const SOURCE: &'static str;

    /// What it has in common with all other events.
    fn envelope(&self) -> Envelope;

    /// What happened, for operators, without customer data.
    fn outline(&self) -> String;

    /// Returns the event that a write to the table causes; `None` if it causes none of this kind.
    #[cfg(feature = "publish")]
    fn caused_by(write: &Write<'_>) -> Result<Option<Self>, Reason>;
}

/// Defines [`Event`](crate::Event) from the list of its kinds, each of which is a [`Detail`].
macro_rules! events {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// An event of the shop, as EventBridge delivers it: its kind is the `detail-type`, its
        /// content the `detail`. A subscriber deserializes the payload of its invocation into this
        /// type.
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(tag = "detail-type", content = "detail")]
        pub enum Event {
            $($(#[$doc])* $kind($kind),)*
        }

        impl Event {
            /// The event's `source`.
            #[must_use]
            pub fn source(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => <$kind as event::Detail>::SOURCE,)*
                }
            }

            /// The event's `detail-type`.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => stringify!($kind),)*
                }
            }

            /// The event's `detail`, as JSON.
            ///
            /// # Errors
            ///
            /// None, as long as events consist of strings and numbers only.
            pub fn detail(&self) -> serde_json::Result<String> {
                match self {
                    $(Self::$kind(detail) => serde_json::to_string(detail),)*
                }
            }

            /// What this event has in common with all others.
            #[must_use]
            pub fn envelope(&self) -> Envelope {
                match self {
                    $(Self::$kind(detail) => event::Detail::envelope(detail),)*
                }
            }

            /// What happened, for operators, without customer data.
            #[must_use]
            pub fn outline(&self) -> String {
                match self {
                    $(Self::$kind(detail) => event::Detail::outline(detail),)*
                }
            }

            /// Returns the event that a write to the table causes, if any.
            #[cfg(feature = "publish")]
            pub(crate) fn caused_by(write: &record::Write<'_>) -> Result<Option<Self>, Reason> {
                $(
                    if let Some(detail) = <$kind as event::Detail>::caused_by(write)? {
                        return Ok(Some(Self::$kind(detail)));
                    }
                )*
                Ok(None)
            }
        }
    };
}
pub(crate) use events;

/// What every event contains, whatever its kind. The `detail` has it under names that fit the
/// event: `changedAt` is the time of an `OrderStatusChanged`, and `orderId` its subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Identifies the event by its subject and the subject's version.
    pub event_id: EventId,
    /// When it happened.
    pub time: Timestamp,
    /// The API's id of the request that caused it, if that is known.
    pub request_id: Option<RequestId>,
}

/// `<subject>:<version>`. A subject has one state per version, so this identifies one event. It is
/// the same on every delivery, so that subscribers can drop duplicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The id of what the event is about.
    pub subject: Uuid,
    /// The subject's version after the event. It grows with every change, so that subscribers can
    /// see which of two events came first.
    pub version: Version,
}

/// The text is not an id and a version, separated by a colon.
#[derive(Debug, thiserror::Error)]
#[error("must be an id and a version, separated by a colon")]
pub struct InvalidEventId;

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.subject, self.version)
    }
}

impl FromStr for EventId {
    type Err = InvalidEventId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (subject, version) = text.split_once(':').ok_or(InvalidEventId)?;
        Ok(Self {
            subject: subject.parse().map_err(|_| InvalidEventId)?,
            version: version.parse().map_err(|_| InvalidEventId)?,
        })
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Event;

    const DETAIL: &str = r#"{"eventId":"01930000-0000-7000-8000-000000000001:2","orderId":"01930000-0000-7000-8000-000000000001","userId":"01930000-0000-7000-8000-00000000000a","number":"9C1K-QY00-0001","status":"paid","payment":"paid","refundedAmount":0,"total":3780,"currency":"EUR","version":2,"requestId":"JKJaXmPLvHcESHA=","previousStatus":"pending","changedAt":"2026-11-22T09:30:00.125Z"}"#;

    /// Reads an event with this detail, as EventBridge delivers it.
    fn read(detail: &str) -> serde_json::Result<Event> {
        serde_json::from_str(&format!(
            r#"{{"version":"0","source":"storefront.orders","detail-type":"OrderStatusChanged","resources":[],"detail":{detail}}}"#
        ))
    }

    #[test]
    fn a_subscriber_reads_what_was_published() {
        let event = read(DETAIL).unwrap();
        assert_eq!(event.detail().unwrap(), DETAIL, "byte for byte");

        let without_request = DETAIL.replace(r#","requestId":"JKJaXmPLvHcESHA=""#, "");
        assert_eq!(read(&without_request).unwrap().detail().unwrap(), without_request);
    }

    #[test]
    fn a_subscriber_ignores_what_a_later_version_adds() {
        let more = DETAIL.replacen('{', r#"{"parcels":[7],"#, 1);
        assert_eq!(read(&more).unwrap(), read(DETAIL).unwrap());
    }

    #[test]
    fn an_event_without_a_valid_id_is_rejected() {
        for id in ["", "7", ":2", "01930000-0000-7000-8000-000000000001:", "order:2"] {
            let mut detail: Value = serde_json::from_str(DETAIL).unwrap();
            detail["eventId"] = json!(id);
            assert!(read(&detail.to_string()).is_err(), "{id}");
        }
    }

    #[test]
    fn the_events_of_a_subject_sort_by_its_version() {
        let id = |order: u8, version| EventId { subject: Uuid::from_bytes([order; 16]), version };
        let mut ids = [id(2, 3), id(1, 10), id(2, 1), id(1, 9)];
        ids.sort();
        assert_eq!(ids, [id(1, 9), id(1, 10), id(2, 1), id(2, 3)]);
    }
}
