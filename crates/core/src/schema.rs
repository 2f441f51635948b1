//! The table's layout: the only place where keys are built.
//!
//! One table with the string keys `PK` and `SK`, and one index `GSI1` with `GSI1PK` and `GSI1SK`.
//! Every item says in `_type` what it is.

mod item_type;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::{
    Category, CreatedBetween, Email, Error, IdempotencyKey, OrderId, ProductId, Result, UserId,
};

pub use item_type::{InvalidItemType, ItemType, Layout};
use prefix::{CATEGORY, EMAIL, ORDER, PRODUCT, USER};

/// An item as DynamoDB holds it: attribute name to value.
pub type Item = HashMap<String, AttributeValue>;

/// The partition key's name.
pub const PK: &str = "PK";
/// The sort key's name.
pub const SK: &str = "SK";
/// The index's name.
pub const GSI1: &str = "GSI1";
/// The index's partition key's name.
pub const GSI1PK: &str = "GSI1PK";
/// The index's sort key's name.
pub const GSI1SK: &str = "GSI1SK";
/// The attribute that says what an item is.
pub const TYPE: &str = "_type";
/// The attribute that TTL looks at, in seconds since 1970.
pub const EXPIRES_AT: &str = "expiresAt";

/// The attribute that says which key an item's user, product or order had where it was migrated from.
/// No repository reads it, and none takes it away.
pub const LEGACY_ID: &str = "legacyId";

const METADATA: &str = "METADATA";

const ITEM: &str = "ITEM#";
const IDEMPOTENCY: &str = "IDEMPOTENCY#";

/// What partition keys begin with, in the table and in the index. A policy's `dynamodb:LeadingKeys` names
/// these.
pub mod prefix {
    /// Of a user, and of all that is the user's.
    pub const USER: &str = "USER#";
    /// Of what belongs to an email.
    pub const EMAIL: &str = "EMAIL#";
    /// Of a product.
    pub const PRODUCT: &str = "PRODUCT#";
    /// Of the products of a category, in the index.
    pub const CATEGORY: &str = "CATEGORY#";
    /// Of an order's items, and of the order itself in the index. A user's orders have sort keys that
    /// begin so, too.
    pub const ORDER: &str = "ORDER#";
}

/// An item's primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The value of `PK`.
    pub pk: String,
    /// The value of `SK`.
    pub sk: String,
}

impl Key {
    /// A [`ItemType::User`].
    #[must_use]
    pub fn user(id: UserId) -> Self {
        Self { pk: user_partition(id), sk: METADATA.to_owned() }
    }

    /// A [`ItemType::UniqueEmail`].
    #[must_use]
    pub fn unique_email(email: &Email) -> Self {
        Self { pk: email_partition(email), sk: METADATA.to_owned() }
    }

    /// An [`ItemType::Order`]: rebuilt from the two ids, because the order's `createdAt` is its
    /// id's time.
    #[must_use]
    pub fn order(user_id: UserId, id: OrderId) -> Self {
        Self { pk: user_partition(user_id), sk: format!("{ORDER}{}#{id}", id.created_at()) }
    }

    /// An [`ItemType::OrderItem`].
    #[must_use]
    pub fn order_item(order_id: OrderId, product_id: ProductId) -> Self {
        Self { pk: order_partition(order_id), sk: format!("{ITEM}{product_id}") }
    }

    /// An [`ItemType::Product`].
    #[must_use]
    pub fn product(id: ProductId) -> Self {
        Self { pk: format!("{PRODUCT}{id}"), sk: METADATA.to_owned() }
    }

    /// An [`ItemType::Idempotency`].
    #[must_use]
    pub fn idempotency(user_id: UserId, key: &IdempotencyKey) -> Self {
        Self { pk: user_partition(user_id), sk: format!("{IDEMPOTENCY}{}", key.as_str()) }
    }

    /// A [`ItemType::LoginAttempts`].
    #[must_use]
    pub fn login_attempts(email: &Email) -> Self {
        Self { pk: email_partition(email), sk: "LOGIN_ATTEMPTS".to_owned() }
    }
}

/// The key as DynamoDB takes it.
impl From<Key> for Item {
    fn from(key: Key) -> Self {
        Self::from([
            (PK.to_owned(), AttributeValue::S(key.pk)),
            (SK.to_owned(), AttributeValue::S(key.sk)),
        ])
    }
}

/// An item's key in `GSI1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// The value of `GSI1PK`.
    pub pk: String,
    /// The value of `GSI1SK`.
    pub sk: String,
}

impl IndexKey {
    /// A user by email.
    #[must_use]
    pub fn user(id: UserId, email: &Email) -> Self {
        Self { pk: email_partition(email), sk: user_partition(id) }
    }

    /// An order by its id alone.
    #[must_use]
    pub fn order(user_id: UserId, id: OrderId) -> Self {
        Self { pk: order_partition(id), sk: user_partition(user_id) }
    }

    /// A product by category.
    #[must_use]
    pub fn product(id: ProductId, category: &Category) -> Self {
        Self { pk: category_partition(category), sk: format!("{PRODUCT}{id}") }
    }
}

impl From<IndexKey> for Item {
    fn from(key: IndexKey) -> Self {
        Self::from([
            (GSI1PK.to_owned(), AttributeValue::S(key.pk)),
            (GSI1SK.to_owned(), AttributeValue::S(key.sk)),
        ])
    }
}

/// The `PK` of a user and of all that is the user's: orders, idempotency records. Also the `GSI1SK`
/// of the user and of the orders.
#[must_use]
pub fn user_partition(id: UserId) -> String {
    format!("{USER}{id}")
}

/// The `PK` of what belongs to an email, and the `GSI1PK` of the user who has it.
#[must_use]
pub fn email_partition(email: &Email) -> String {
    format!("{EMAIL}{}", email.as_str())
}

/// The `PK` of an order's items, and the `GSI1PK` of the order itself.
#[must_use]
pub fn order_partition(id: OrderId) -> String {
    format!("{ORDER}{id}")
}

/// The first and the last `SK` of the orders of a time range, for `BETWEEN`.
///
/// Both bounds lack the order's id: a sort key at exactly the bound's time is longer and so sorts
/// after it. That makes `from` inclusive and `to` exclusive.
#[must_use]
pub fn order_sort_keys(range: CreatedBetween) -> (String, String) {
    (
        range.from.map_or_else(|| ORDER.to_owned(), |from| format!("{ORDER}{from}")),
        // Every time starts with a digit, and `:` is the character after the digits.
        range.to.map_or_else(|| format!("{ORDER}:"), |to| format!("{ORDER}{to}")),
    )
}

/// The `GSI1PK` of the products of a category.
#[must_use]
pub fn category_partition(category: &Category) -> String {
    format!("{CATEGORY}{}", category.as_str())
}

/// The user in whose partition an item lies.
#[must_use]
pub fn user_of_partition(partition_key: &str) -> Option<UserId> {
    partition_key.strip_prefix(USER)?.parse().ok()
}

/// The email in whose partition an item lies.
#[must_use]
pub fn email_of_partition(partition_key: &str) -> Option<Email> {
    partition_key.strip_prefix(EMAIL)?.parse().ok()
}

/// The idempotency key of a record, from its sort key.
#[must_use]
pub fn idempotency_key_of(sort_key: &str) -> Option<IdempotencyKey> {
    sort_key.strip_prefix(IDEMPOTENCY)?.parse().ok()
}

/// What a partition key begins with, up to its first `#`: what it belongs to, but not whose it is.
pub(crate) fn partition_prefix(partition_key: &str) -> Option<&str> {
    partition_key.find('#').map(|end| &partition_key[..=end])
}

/// The item of an entity: its attributes, its keys and its type.
pub(crate) fn item(
    kind: ItemType,
    key: Key,
    index_key: Option<IndexKey>,
    entity: &impl Serialize,
) -> Result<Item> {
    let mut item: Item = serde_dynamo::to_item(entity)?;
    item.extend(Item::from(key));
    item.extend(index_key.map(Item::from).into_iter().flatten());
    item.insert(TYPE.to_owned(), AttributeValue::S(kind.as_str().to_owned()));
    Ok(item)
}

/// The entity of an item, which must be of the type its key promised.
pub(crate) fn entity<T: DeserializeOwned>(kind: ItemType, item: Item) -> Result<T> {
    match item.get(TYPE) {
        Some(AttributeValue::S(found)) if found == kind.as_str() => {}
        found => {
            return Err(Error::Item(format!("expected _type {}, found {found:?}", kind.as_str())));
        }
    }
    // `serde_dynamo::from_item` would first make maps of its own of the item, twice, which takes as long as
    // all the rest.
    let attributes = item.into_iter().map(|(name, value)| (name, Attribute(value)));
    Ok(T::deserialize(MapDeserializer::new(attributes))?)
}

struct Attribute(AttributeValue);

impl IntoDeserializer<'_, serde_dynamo::Error> for Attribute {
    type Deserializer = serde_dynamo::Deserializer;

    fn into_deserializer(self) -> Self::Deserializer {
        serde_dynamo::Deserializer::from_attribute_value(self.0.into())
    }
}
