//! What is wrong with a row.

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use storefront_core::MAX_ORDER_ITEMS;

use super::Entity;
use crate::size::MAX_ITEM;
use crate::source::Row;

/// A row, or an order with its items, that the shop's rules do not take.
#[derive(Clone, Debug)]
pub struct Reject {
    /// What it is.
    pub entity: Entity,
    /// Its key in the source; `None` where that is null.
    pub key: Option<String>,
    /// Which rule it breaks: the first, where there are several.
    pub reason: Reason,
    /// What the SELECT yielded. The password's hash is never shown.
    pub row: Row,
    /// Of an order, its items; of rows that share a key, the others.
    pub more: Vec<Row>,
}

/// Which rule a row breaks. Columns go by their names in the source; what they hold is shortened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Reason {
    #[error("{column} is null")]
    Missing { column: String },
    #[error("{column} is {found}: {rule}")]
    Invalid { column: String, found: String, rule: String },
    #[error(
        "{column} is {found}, which the shop does not have: say what it is in [{section}.{attribute}]"
    )]
    Unmapped { column: String, found: String, section: &'static str, attribute: &'static str },
    #[error("{column} is {found}, and must be {range}")]
    OutOfRange { column: String, found: String, range: String },
    #[error(
        "no password can be compared with {column} ({why}): set without_password = \"lock\" in [users] for users who shall get a new password"
    )]
    Password {
        column: String,
        /// What is wrong with the hash; the hash itself is not shown.
        why: String,
    },
    #[error("{rows} rows have this key: does a JOIN of the select repeat them?")]
    SharedKey { rows: usize },
    #[error("{column} is {key}, and there is no such {of}")]
    Orphan { column: String, key: String, of: Entity },
    #[error("{column} is {key}, and the createdAt of that {of} cannot be read")]
    Undated { column: String, key: String, of: Entity },
    #[error("it is priced in several currencies: {}", .0.join(", "))]
    MixedCurrencies(Vec<String>),
    #[error("it has no items")]
    NoItems,
    #[error("it has {0} items; an order holds {MAX_ORDER_ITEMS}")]
    TooManyItems(usize),
    #[error("the product {product} is in it more than once, at different prices or names")]
    RepeatedProduct { product: String },
    #[error(
        "total is {total}, and its items add up to {items} (in the currency's minor unit): what else is in it must be an item"
    )]
    OtherTotal { total: u64, items: u64 },
    #[error("its id is also made of the key {winner}, whose row is older or comes first")]
    SharedId { winner: String },
    #[error(
        "its email is, but for capitals and spaces, that of the user {winner}, who is older or comes first"
    )]
    SharedEmail { winner: String },
    #[error("its email is taken in the table, by the user whose id there is {user_id}")]
    EmailTaken { user_id: String },
    #[error(
        "the table has it at version {version}, last changed at {updated_at}: kept as it is there"
    )]
    Kept { version: String, updated_at: String },
    #[error("it makes an item of {bytes} bytes; an item has at most {}", MAX_ITEM)]
    TooLarge { bytes: u64 },
    #[error("the id is of {id}, and {column} is {found}: an order's are the same")]
    OtherTime { id: String, column: String, found: String },
}

impl Reason {
    /// The kind of [`Self::EmailTaken`].
    pub(crate) const EMAIL_TAKEN: &str = "email taken";
    /// The kind of [`Self::Kept`].
    pub(crate) const KEPT: &str = "kept in the table";

    /// What it is about in a word or two, to count by.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing value",
            Self::Invalid { .. } => "invalid value",
            Self::Unmapped { .. } => "unknown value",
            Self::OutOfRange { .. } => "out of range",
            Self::Password { .. } => "unusable password",
            Self::SharedKey { .. } => "shared key",
            Self::Orphan { .. } => "orphan",
            Self::Undated { .. } => "undated",
            Self::MixedCurrencies(_) => "mixed currencies",
            Self::NoItems => "no items",
            Self::TooManyItems(_) => "too many items",
            Self::RepeatedProduct { .. } => "repeated product",
            Self::OtherTotal { .. } => "other total",
            Self::OtherTime { .. } => "other time",
            Self::SharedId { .. } => "shared id",
            Self::SharedEmail { .. } => "shared email",
            Self::EmailTaken { .. } => Self::EMAIL_TAKEN,
            Self::Kept { .. } => Self::KEPT,
            Self::TooLarge { .. } => "too large",
        }
    }
}

/// A line of the file of rejects.
impl Serialize for Reject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_struct("Reject", 6)?;
        line.serialize_field("entity", &self.entity)?;
        line.serialize_field("key", &self.key)?;
        line.serialize_field("kind", self.reason.kind())?;
        line.serialize_field("reason", &self.reason.to_string())?;
        line.serialize_field("row", &self.row)?;
        line.serialize_field("more", &self.more)?;
        line.end()
    }
}
