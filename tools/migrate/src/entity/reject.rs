//! Rows that break a rule, and why.

use serde::Serialize;
use serde::ser::{SerializeStruct as _, Serializer};

use storefront_core::MAX_ORDER_ITEMS;

use super::Entity;
use crate::size::MAX_ITEM;
use crate::source::Row;

/// A row, or an order with its items, that breaks a rule of the shop.
#[derive(Clone, Debug)]
pub struct Reject {
    /// The entity of the row.
    pub entity: Entity,
    /// The key in the source; `None` if it is null.
    pub key: Option<String>,
    /// The first rule that it breaks.
    pub reason: Reason,
    /// The row that the SELECT returned. The password hash is never shown.
    pub row: Row,
    /// The items of an order, or the other rows with the same key.
    pub more: Vec<Row>,
}

/// Which rule a row breaks. Columns have their names in the source; values are shortened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Reason {
    #[error("{column} is null")]
    Missing { column: String },
    #[error("{column} is {found}: {rule}")]
    Invalid { column: String, found: String, rule: String },
    #[error("{column} is {found}, which the shop does not have: map it in [{section}.{attribute}]")]
    Unmapped { column: String, found: String, section: &'static str, attribute: &'static str },
    #[error("{column} is {found}, but must be {range}")]
    OutOfRange { column: String, found: String, range: String },
    #[error(
        "no password can be verified with {column} ({why}); without_password = \"lock\" in [users] loads such users without a password"
    )]
    Password {
        column: String,
        /// What is wrong with the hash; the hash itself is not shown.
        why: String,
    },
    #[error("{rows} rows have this key: does a JOIN in the select repeat them?")]
    SharedKey { rows: usize },
    #[error("{column} is {key}, but there is no such {of}")]
    Orphan { column: String, key: String, of: Entity },
    #[error("{column} is {key}, but the createdAt of that {of} cannot be read")]
    Undated { column: String, key: String, of: Entity },
    #[error("its prices are in several currencies: {}", .0.join(", "))]
    MixedCurrencies(Vec<String>),
    #[error("it has no items")]
    NoItems,
    #[error("it has {0} items; an order has at most {MAX_ORDER_ITEMS}")]
    TooManyItems(usize),
    #[error("it has the product {product} more than once, with different prices or names")]
    RepeatedProduct { product: String },
    #[error(
        "total is {total}, but its items add up to {items} (in the currency's minor unit): anything else in it must be an item, too"
    )]
    OtherTotal { total: u64, items: u64 },
    #[error("the key {winner} yields the same id, and its row is older or comes first")]
    SharedId { winner: String },
    #[error(
        "apart from capitals and spaces, its email is that of the user {winner}, who is older or comes first"
    )]
    SharedEmail { winner: String },
    #[error("in the table, its email belongs to the user with the id {user_id}")]
    EmailTaken { user_id: String },
    #[error("the table has version {version} of it, last changed at {updated_at}, and keeps that")]
    Kept { version: String, updated_at: String },
    #[error(
        "the shop has changed its stock since it was loaded, from {loaded} to {now}; the table keeps that"
    )]
    KeptStock { loaded: String, now: String },
    #[error("it needs an item of {bytes} bytes; an item has at most {}", MAX_ITEM)]
    TooLarge { bytes: u64 },
    #[error("the time in its id is {id}, but {column} is {found}: for an order they must agree")]
    OtherTime { id: String, column: String, found: String },
}

impl Reason {
    /// [`Self::kind`] of [`Self::EmailTaken`].
    pub(crate) const EMAIL_TAKEN: &str = "email taken";
    /// [`Self::kind`] of [`Self::Kept`] and [`Self::KeptStock`].
    pub(crate) const KEPT: &str = "kept in the table";

    /// Returns a short name of the rule, for counting.
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
            Self::Kept { .. } | Self::KeptStock { .. } => Self::KEPT,
            Self::TooLarge { .. } => "too large",
        }
    }
}

/// Writes a line of the file of rejects.
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
