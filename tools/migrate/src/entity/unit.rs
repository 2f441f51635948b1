//! Units: what is read, rejected and written as a whole.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use storefront_core::schema::{Item, ItemType, LEGACY_ID, ORIGIN, TYPE};
use storefront_core::{OrderWithItems, ProductWithStock, User};

use super::Entity;

/// The attribute of a stock item with the quantity that was loaded. A sale changes the quantity but
/// no version, so this shows whether the shop has changed the stock since. No repository reads it.
pub(crate) const LOADED_QUANTITY: &str = "legacyQuantity";

/// The attribute of a stock item with the pieces in it.
pub(crate) const QUANTITY: &str = "quantity";

/// The attribute of a product's first stock item with the number of all of them.
pub(crate) const SPREAD: &str = "spread";

/// The attribute of a product that counts how often the shop has looked whether there is stock. It
/// says nothing about the product.
pub(crate) const AVAILABLE_REVISION: &str = "availableRevision";

/// The value of an order's attribute `origin`.
const MIGRATION: &str = "migration";

/// The kinds of unit, which are read one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Users.
    User,
    /// Products, each with its stock.
    Product,
    /// Orders, each with its items.
    Order,
}

/// A user, a product with its stock, or an order with its items.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
#[allow(clippy::large_enum_variant, reason = "most units are orders")]
pub enum Unit {
    User(Migrated<User>),
    Product(Migrated<ProductWithStock>),
    Order(Migrated<OrderWithItems>),
}

/// A row converted to the shop's type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migrated<T> {
    /// The key in the source, which each item keeps as `legacyId`.
    pub legacy_id: String,
    /// The converted value.
    pub value: T,
    /// Changes that the conversion made.
    pub remarks: Vec<Remark>,
}

/// A change that the conversion made to a valid row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Line ends, and characters that are invisible or change the direction of writing, were left out of
    /// a name.
    TidiedName,
    /// The user has no password that the shop can verify, and needs a new one.
    Locked,
    /// Order items of the same product and at the same price were merged.
    MergedItems {
        /// The product's key in the source.
        product: String,
    },
    /// A product of the order no longer exists. The item has an id derived from its key alone.
    ProductGone {
        /// The product's key in the source.
        product: String,
    },
}

impl Kind {
    /// All kinds, in loading order: orders come last, because they refer to users and products.
    pub const ALL: [Self; 3] = [Self::User, Self::Product, Self::Order];

    /// Returns the entity of the unit's main row: for an order with its items, the order.
    #[must_use]
    pub const fn entity(self) -> Entity {
        match self {
            Self::User => Entity::User,
            Self::Product => Entity::Product,
            Self::Order => Entity::Order,
        }
    }

    /// Returns the types of the unit's items.
    #[must_use]
    pub const fn item_types(self) -> &'static [ItemType] {
        match self {
            Self::User => &[ItemType::User, ItemType::UniqueEmail],
            Self::Product => &[ItemType::Product, ItemType::Stock],
            Self::Order => &[ItemType::Order, ItemType::OrderItem],
        }
    }

    /// Returns the kind that has items of this type, or `None` for types that only the shop itself
    /// writes.
    #[must_use]
    pub fn with_items(item_type: ItemType) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.item_types().contains(&item_type))
    }
}

/// Returns the types of item that a migration writes.
pub(crate) fn migrated_types() -> impl Iterator<Item = ItemType> {
    Kind::ALL.into_iter().flat_map(Kind::item_types).copied()
}

impl Unit {
    /// Returns the kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::User(_) => Kind::User,
            Self::Product(_) => Kind::Product,
            Self::Order(_) => Kind::Order,
        }
    }

    /// Returns the key in the source.
    #[must_use]
    pub fn legacy_id(&self) -> &str {
        match self {
            Self::User(user) => &user.legacy_id,
            Self::Product(product) => &product.legacy_id,
            Self::Order(order) => &order.legacy_id,
        }
    }

    /// Returns the changes that the conversion made.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        match self {
            Self::User(user) => &user.remarks,
            Self::Product(product) => &product.remarks,
            Self::Order(order) => &order.remarks,
        }
    }

    /// Returns the unit's items: those that the repositories would have written, each with the
    /// unit's key in the source as `legacyId`. A stock item also keeps its quantity as
    /// `legacyQuantity`, and an order says in `origin` that it was migrated, so that no event tells
    /// of it.
    pub fn to_items(&self) -> storefront_core::Result<Vec<Item>> {
        let mut items = match self {
            Self::User(user) => user.value.to_items()?.into(),
            Self::Product(product) => product.value.to_items()?,
            Self::Order(order) => order.value.to_items()?,
        };
        for item in &mut items {
            let legacy_id = AttributeValue::S(self.legacy_id().to_owned());
            item.insert(LEGACY_ID.to_owned(), legacy_id);
            if item.get(TYPE) == Some(&AttributeValue::S(ItemType::Order.as_str().to_owned())) {
                item.insert(ORIGIN.to_owned(), AttributeValue::S(MIGRATION.to_owned()));
            }
            // Order items also have a quantity.
            if matches!(self, Self::Product(_))
                && let Some(quantity) = item.get(QUANTITY).cloned()
            {
                item.insert(LOADED_QUANTITY.to_owned(), quantity);
            }
        }
        Ok(items)
    }
}
