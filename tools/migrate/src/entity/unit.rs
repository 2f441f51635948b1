//! What is written together.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use storefront_core::schema::{Item, ItemType, LEGACY_ID};
use storefront_core::{OrderWithItems, Product, User};

use super::Entity;

/// What a source is read for, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Users.
    User,
    /// Products.
    Product,
    /// Orders, each with its items.
    Order,
}

/// A user, a product, or an order with its items: what the table takes as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Unit {
    User(Migrated<User>),
    Product(Migrated<Product>),
    Order(Migrated<OrderWithItems>),
}

/// What a row has become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated<T> {
    /// Its key in the source, which each of its items keeps as `legacyId`.
    pub legacy_id: String,
    /// What the shop takes it for.
    pub value: T,
    /// What was not carried over as it was.
    pub remarks: Vec<Remark>,
}

/// What was not carried over as it was, though nothing is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A user without a password that the shop can verify: they need a new one.
    Locked,
    /// Order items of the same product, at the same price, became one.
    MergedItems {
        /// The product's key in the source.
        product: String,
    },
    /// A product of the order is not there any more. The item has an id made of its key alone.
    ProductGone {
        /// The product's key in the source.
        product: String,
    },
}

impl Kind {
    /// All of them, in the order in which they are loaded: an order names its user and its products.
    pub const ALL: [Self; 3] = [Self::User, Self::Product, Self::Order];

    /// What its rows are, an order's items not counted.
    #[must_use]
    pub const fn entity(self) -> Entity {
        match self {
            Self::User => Entity::User,
            Self::Product => Entity::Product,
            Self::Order => Entity::Order,
        }
    }

    /// The kind that has items of this type. `None` for what the shop makes itself, which nobody
    /// migrates.
    #[must_use]
    pub const fn with_items(item_type: ItemType) -> Option<Self> {
        match item_type {
            ItemType::User | ItemType::UniqueEmail => Some(Self::User),
            ItemType::Product => Some(Self::Product),
            ItemType::Order | ItemType::OrderItem => Some(Self::Order),
            ItemType::Idempotency | ItemType::LoginAttempts => None,
        }
    }
}

/// The types of item that a migration writes.
pub(crate) fn migrated_types() -> impl Iterator<Item = ItemType> {
    ItemType::ALL.iter().copied().filter(|it| Kind::with_items(*it).is_some())
}

impl Unit {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::User(_) => Kind::User,
            Self::Product(_) => Kind::Product,
            Self::Order(_) => Kind::Order,
        }
    }

    /// Its key in the source.
    #[must_use]
    pub fn legacy_id(&self) -> &str {
        match self {
            Self::User(user) => &user.legacy_id,
            Self::Product(product) => &product.legacy_id,
            Self::Order(order) => &order.legacy_id,
        }
    }

    /// What was not carried over as it was.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        match self {
            Self::User(user) => &user.remarks,
            Self::Product(product) => &product.remarks,
            Self::Order(order) => &order.remarks,
        }
    }

    /// All that the table holds of it: what the repositories would have written, and with each item
    /// the unit's key in the source as `legacyId`.
    pub fn to_items(&self) -> storefront_core::Result<Vec<Item>> {
        let mut items = match self {
            Self::User(user) => user.value.to_items()?.into(),
            Self::Product(product) => vec![product.value.to_item()?],
            Self::Order(order) => order.value.to_items()?,
        };
        for item in &mut items {
            let legacy_id = AttributeValue::S(self.legacy_id().to_owned());
            item.insert(LEGACY_ID.to_owned(), legacy_id);
        }
        Ok(items)
    }
}
