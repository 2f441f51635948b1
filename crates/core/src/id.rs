use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::openapi::openapi;
use crate::{Error, Timestamp};

/// The text is not a UUID of version 7 with a time before the year 10000.
#[derive(Debug, thiserror::Error)]
#[error("must be a UUID of version 7")]
pub struct InvalidId;

/// An id that requests name in their path.
pub trait EntityId: FromStr {
    /// The error if no entity has this id.
    fn not_found() -> Error;
}

/// Defines an id, with its schema in the OpenAPI document. Ids are `UUIDv7` (RFC 9562, section 5.7), so
/// they sort by creation time.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $description:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(into = "Uuid", try_from = "Uuid")]
        pub struct $name(Uuid);

        impl $name {
            /// Creates an id that carries the current time.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a default that differs each time misleads")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// When the id was created.
            #[must_use]
            pub fn created_at(self) -> Timestamp {
                created_at(self.0).expect("checked when the id was created")
            }

            /// The 16 bytes of the UUID.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        openapi!($name = crate::openapi::string($description)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .pattern(Some(PATTERN))
            .examples([$example]));

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl TryFrom<Uuid> for $name {
            type Error = InvalidId;

            fn try_from(uuid: Uuid) -> Result<Self, Self::Error> {
                created_at(uuid).map(|_| Self(uuid)).ok_or(InvalidId)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                // Only with hyphens, as ids are issued: the other ways to write a UUID (without
                // hyphens, in braces, as a URN) have other lengths. Capitals are accepted.
                let is_hyphenated = text.len() == uuid::fmt::Hyphenated::LENGTH;
                let uuid = text.parse::<Uuid>().ok().filter(|_| is_hyphenated);
                uuid.ok_or(InvalidId)?.try_into()
            }
        }
    };
}

id!(
    /// A user's id.
    UserId,
    "A user's id: a UUID of version 7",
    "01930000-0000-7000-8000-000000000002"
);
id!(
    /// A product's id.
    ProductId,
    "A product's id: a UUID of version 7",
    "01930000-0000-7000-8000-000000000101"
);
id!(
    /// An order's id. Its time is the order's `createdAt`, from which the sort key is rebuilt.
    OrderId,
    "An order's id: a UUID of version 7",
    "01930000-0000-7000-8000-000000000201"
);

id!(
    /// The id of a session. Its time is when the user logged in.
    SessionId,
    "A session's id: a UUID of version 7",
    "01930000-0000-7000-8000-000000000301"
);

/// A UUID of version 7 with a time before the year 9775. Ids carry the time of their creation, so
/// there are no others.
#[cfg(feature = "openapi")]
const PATTERN: &str =
    "^[0-9a-dA-D][0-9a-fA-F]{7}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

fn created_at(uuid: Uuid) -> Option<Timestamp> {
    if uuid.get_version() != Some(uuid::Version::SortRand) {
        return None;
    }
    // The first 48 bits are milliseconds since 1970 (RFC 9562, section 5.7).
    Timestamp::from_millis((uuid.as_u128() >> 80).try_into().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_carries_its_time() {
        let id: OrderId = "01930000-0000-7000-8000-000000000201".parse().unwrap();
        assert_eq!(id.created_at().as_millis(), 0x0193_0000_0000);
    }

    #[test]
    fn other_versions_other_spellings_and_times_beyond_the_calendar_are_rejected() {
        for text in [
            "6c84fb90-12c4-11e1-840d-7b25c5ee775a",
            "9b2f6f0e-5f0a-4c3f-9d7e-0a4a3c1d2e3f",
            "ffffffff-ffff-7000-8000-000000000000",
            "01930000000070008000000000000201",
            "{01930000-0000-7000-8000-000000000201}",
            "urn:uuid:01930000-0000-7000-8000-000000000201",
            "not-an-id",
            "",
        ] {
            assert!(text.parse::<OrderId>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_sort_in_the_order_of_their_creation() {
        let ids: Vec<OrderId> = (0..1000).map(|_| OrderId::new()).collect();
        assert!(ids.is_sorted());
    }
}
