//! Turns rows into the items of the table.

mod fields;
mod id;
mod money;
mod order;
mod password;
mod product;
mod reject;
mod time;
mod unit;
mod user;

use std::fmt;

use serde::{Deserialize, Serialize};

pub(crate) use order::{Draft, Known, order, orphan};
pub(crate) use password::is_renewed;
pub(crate) use product::product;
pub use reject::{Reason, Reject};
pub(crate) use unit::{AVAILABLE_REVISION, LOADED_QUANTITY, QUANTITY, SPREAD, migrated_types};
pub use unit::{Kind, Migrated, Remark, Unit};
pub(crate) use user::user;

/// The entities that a mapping has SELECTs for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Entity {
    User,
    Product,
    Order,
    OrderItem,
}

/// A column of an entity's SELECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The name of the attribute in the table.
    pub name: &'static str,
    /// Whether the SELECT may omit it.
    pub optional: bool,
}

const fn required(name: &'static str) -> Attribute {
    Attribute { name, optional: false }
}

const fn optional(name: &'static str) -> Attribute {
    Attribute { name, optional: true }
}

impl Entity {
    /// All entities, in the order in which they are read.
    pub const ALL: [Self; 4] = [Self::User, Self::Product, Self::Order, Self::OrderItem];

    /// Returns the section of the mapping that has the SELECT.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Product => "products",
            Self::Order => "orders",
            Self::OrderItem => "order_items",
        }
    }

    /// Returns the columns of the SELECT, the key first.
    #[must_use]
    pub const fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::User => {
                const {
                    &[
                        required("id"),
                        required("email"),
                        required("name"),
                        required("passwordHash"),
                        optional("role"),
                        required("createdAt"),
                        optional("updatedAt"),
                    ]
                }
            }
            Self::Product => {
                const {
                    &[
                        required("id"),
                        required("name"),
                        optional("description"),
                        required("category"),
                        required("price"),
                        optional("currency"),
                        optional("stock"),
                        required("createdAt"),
                        optional("updatedAt"),
                    ]
                }
            }
            Self::Order => {
                const {
                    &[
                        required("id"),
                        required("userId"),
                        required("status"),
                        optional("currency"),
                        optional("total"),
                        required("createdAt"),
                        optional("updatedAt"),
                    ]
                }
            }
            Self::OrderItem => {
                const {
                    &[
                        required("orderId"),
                        required("productId"),
                        required("name"),
                        required("quantity"),
                        required("price"),
                        optional("currency"),
                        optional("updatedAt"),
                    ]
                }
            }
        }
    }

    /// Returns the column that pages follow.
    #[must_use]
    pub const fn key(self) -> &'static str {
        self.attributes()[0].name
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Product => "product",
            Self::Order => "order",
            Self::OrderItem => "order item",
        })
    }
}
