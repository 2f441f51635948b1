//! The few values that operations use, each named by a number.

use std::fmt;

use proptest::prelude::*;
use serde_json::{Value, json};

/// An email, and how the client writes it. At the start `u0` to `u2` have the numbers 0 to 2,
/// and `u3` has 5.
#[derive(Clone, Copy)]
pub(crate) struct Address {
    pub(crate) number: u8,
    spelling: Spelling,
}

#[derive(Clone, Copy, Debug)]
enum Spelling {
    Normalised,
    Capitals,
    Spaces,
    /// In other code points, and with a domain in its own script.
    Typed,
}

impl Address {
    pub(crate) fn normalised(number: u8) -> Self {
        Self { number, spelling: Spelling::Normalised }
    }

    /// As the client writes it.
    pub(crate) fn sent(self) -> String {
        match self.spelling {
            Spelling::Normalised => self.stored(),
            Spelling::Capitals => self.stored().to_uppercase(),
            Spelling::Spaces => format!("  {} ", self.stored()),
            Spelling::Typed => format!("custome\u{301}r{}@mu\u{308}ller.example", self.number),
        }
    }

    /// As the shop stores it.
    pub(crate) fn stored(self) -> String {
        format!("customér{}@xn--mller-kva.example", self.number)
    }
}

pub(crate) fn address() -> impl Strategy<Value = Address> {
    let spelling = prop_oneof![
        3 => Just(Spelling::Normalised),
        1 => Just(Spelling::Capitals),
        1 => Just(Spelling::Spaces),
        1 => Just(Spelling::Typed),
    ];
    (0..6_u8, spelling).prop_map(|(number, spelling)| Address { number, spelling })
}

pub(crate) fn password(number: u8) -> String {
    format!("correct horse {number} battery")
}

pub(crate) fn name(number: u8) -> String {
    format!("Name {number}")
}

/// A category as the client writes it.
pub(crate) fn sent_category(number: u8) -> &'static str {
    ["café", "tea", " CAFE\u{301}", "TEA "][usize::from(number) % 4]
}

/// The same category as the shop stores it.
pub(crate) fn stored_category(number: u8) -> &'static str {
    ["café", "tea", "café", "tea"][usize::from(number) % 4]
}

/// Where an order is sent.
pub(crate) fn shipping_address(number: u8) -> Value {
    json!({
        "name": format!("Anna {number}"),
        "line1": "Gartenweg 7",
        "city": "Köln",
        "postalCode": "50667",
        "country": "DE",
    })
}

/// How to follow a parcel.
pub(crate) fn tracking(number: u8) -> Value {
    json!({
        "carrier": "Post",
        "number": format!("P-{number}"),
        "url": "https://parcels.example/P",
    })
}

pub(crate) fn idempotency_key(number: u8) -> String {
    format!("key-{number}")
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.sent())
    }
}
