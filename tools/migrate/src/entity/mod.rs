//! From rows to what the table holds.

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
pub(crate) use unit::migrated_types;
pub use unit::{Kind, Migrated, Remark, Unit};
pub(crate) use user::user;

/// What the SELECTs of a mapping yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Entity {
    User,
    Product,
    Order,
    OrderItem,
}

/// What a SELECT yields of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name, as the table has it.
    pub name: &'static str,
    /// Whether the SELECT may leave it out.
    pub optional: bool,
}

const fn required(name: &'static str) -> Attribute {
    Attribute { name, optional: false }
}

const fn optional(name: &'static str) -> Attribute {
    Attribute { name, optional: true }
}

impl Entity {
    /// All of them, in the order in which they are read.
    pub const ALL: [Self; 4] = [Self::User, Self::Product, Self::Order, Self::OrderItem];

    /// The section of the mapping that says where it is found.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Product => "products",
            Self::Order => "orders",
            Self::OrderItem => "order_items",
        }
    }

    /// What its SELECT yields, the key first.
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

    /// The column that pages follow.
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
