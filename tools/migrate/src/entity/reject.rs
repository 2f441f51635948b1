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

/// Which rule a row breaks. Columns go by their names in the source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A value that must be there is not.
    #[error("{column} is null")]
    Missing {
        /// The column.
        column: String,
    },
    /// A value is not what it should be.
    #[error("{column} is {found}: {rule}")]
    Invalid {
        /// The column.
        column: String,
        /// What it holds, shortened.
        found: String,
        /// What it must be.
        rule: String,
    },
    /// A value is none that the shop has, and the mapping says nothing of it.
    #[error(
        "{column} is {found}, which the shop does not have: say what it is in [{section}.{attribute}]"
    )]
    Unmapped {
        /// The column.
        column: String,
        /// What it holds, shortened.
        found: String,
        /// The section of the mapping.
        section: &'static str,
        /// The attribute's name.
        attribute: &'static str,
    },
    /// A number is too small or too large.
    #[error("{column} is {found}, and must be {range}")]
    OutOfRange {
        /// The column.
        column: String,
        /// What it holds.
        found: String,
        /// What it must be.
        range: String,
    },
    /// The password is not hashed as the shop can verify it.
    #[error(
        "no password can be compared with {column} ({why}): set without_password = \"lock\" in [users] for users who shall get a new password"
    )]
    Password {
        /// The column.
        column: String,
        /// What is wrong with the hash; the hash itself is not shown.
        why: String,
    },
    /// Several rows have the key.
    #[error("{rows} rows have this key: does a JOIN of the select repeat them?")]
    SharedKey {
        /// How many.
        rows: usize,
    },
    /// It belongs to something that is not there.
    #[error("{column} is {key}, and there is no such {of}")]
    Orphan {
        /// The column.
        column: String,
        /// The key that nothing has.
        key: String,
        /// What should have it.
        of: Entity,
    },
    /// What it belongs to has no time to make its id of.
    #[error("{column} is {key}, and the createdAt of that {of} cannot be read")]
    Undated {
        /// The column.
        column: String,
        /// The key of what cannot be read.
        key: String,
        /// What it is.
        of: Entity,
    },
    /// The order and its items are not in one currency.
    #[error("it is priced in several currencies: {}", .0.join(", "))]
    MixedCurrencies(Vec<String>),
    /// An order without items.
    #[error("it has no items")]
    NoItems,
    /// More items than an order can hold.
    #[error("it has {0} items; an order holds {MAX_ORDER_ITEMS}")]
    TooManyItems(usize),
    /// One product twice, in different ways.
    #[error("the product {product} is in it more than once, at different prices or names")]
    RepeatedProduct {
        /// Its key in the source.
        product: String,
    },
    /// The items do not add up.
    #[error(
        "total is {total}, and its items add up to {items} (in the currency's minor unit): what else is in it must be an item"
    )]
    OtherTotal {
        /// What the order says.
        total: u64,
        /// What the items cost.
        items: u64,
    },
    /// Another row makes the same id, and is older.
    #[error("its id is also made of the key {winner}, whose row is older or comes first")]
    SharedId {
        /// The key of the other.
        winner: String,
    },
    /// Another user has the email, once capitals and spaces around it do not count, and is older.
    #[error(
        "its email is, but for capitals and spaces, that of the user {winner}, who is older or comes first"
    )]
    SharedEmail {
        /// The key of the other.
        winner: String,
    },
    /// Another user of the table has the email.
    #[error("its email is taken in the table, by the user whose id there is {user_id}")]
    EmailTaken {
        /// The id of the other, as the table has it.
        user_id: String,
    },
    /// The shop itself has changed it since it was loaded, or it is newer there.
    #[error(
        "the table has it at version {version}, last changed at {updated_at}: kept as it is there"
    )]
    Kept {
        /// The version that it has in the table.
        version: String,
        /// When it was last changed there.
        updated_at: String,
    },
    /// It is larger than an item can be.
    #[error("it makes an item of {bytes} bytes; an item has at most {}", MAX_ITEM)]
    TooLarge {
        /// The largest of its items.
        bytes: u64,
    },
    /// The id's own time and `createdAt`, which are the same for an order, are not.
    #[error("the id is of {id}, and {column} is {found}: an order's are the same")]
    OtherTime {
        /// The time in the id.
        id: String,
        /// The column.
        column: String,
        /// What it holds.
        found: String,
    },
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
