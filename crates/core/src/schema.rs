//! The table's layout: the only place where keys are built.
//!
//! One table with the string keys `PK` and `SK`, and two indexes: `GSI1` with `GSI1PK` and `GSI1SK`, and
//! `GSI2` with `GSI2PK` and `GSI2SK`. Every item says in `_type` what it is.

mod index_key;
mod item_type;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::{
    AccountMailKind, Category, CreatedBetween, Email, Error, IdempotencyKey, MailToken, OrderId,
    ProductId, Result, SessionId, Source, UserId,
};

pub(crate) use index_key::worklist_sort_keys;
pub use index_key::{IndexKey, WorklistKey, worklist_partition};
pub use item_type::{InvalidItemType, ItemType, Layout};
use prefix::{
    CATEGORY, EMAIL, IDEMPOTENCY, MAIL, MAILS, ORDER, PRODUCT, REGISTRATION, SESSION, SOURCE,
    TOKEN, USER,
};

/// An item as DynamoDB stores it: attribute name to value.
pub type Item = HashMap<String, AttributeValue>;

/// The partition key's name.
pub const PK: &str = "PK";
/// The sort key's name.
pub const SK: &str = "SK";
/// The name of the index that finds users by email, orders by id and products by category.
pub const GSI1: &str = "GSI1";
/// The name of its partition key.
pub const GSI1PK: &str = "GSI1PK";
/// The name of its sort key.
pub const GSI1SK: &str = "GSI1SK";
/// The name of the index of the orders that the shop has something to do with.
pub const GSI2: &str = "GSI2";
/// The name of its partition key.
pub const GSI2PK: &str = "GSI2PK";
/// The name of its sort key.
pub const GSI2SK: &str = "GSI2SK";

/// Over how many partitions of `GSI2` the orders of a list are spread. A partition takes 1,000 write
/// units a second, and an order that is placed, paid and shipped takes one or two in each list. It
/// must not change: orders in the table would be looked for where they are not.
pub const WORKLIST_SHARDS: u8 = 8;

/// The attribute that says what an item is.
pub const TYPE: &str = "_type";
/// The attribute that TTL reads, in seconds since 1970.
pub const EXPIRES_AT: &str = "expiresAt";

/// The attribute with the key that an item's user, product or order had in the database it was
/// migrated from. No repository reads it, and none removes it.
pub const LEGACY_ID: &str = "legacyId";

/// The attribute of an order that a program wrote which is not the shop, such as a migration: no event
/// tells of that version of the order. The shop's next change removes it.
pub const ORIGIN: &str = "origin";

/// The sort key of a user, a product or an email's guard. Sort keys of what is read along with a
/// product start with it.
pub const METADATA: &str = "METADATA";

/// The sort key of a stock item.
pub const STOCK: &str = "METADATA#STOCK";

/// Stands between a product's partition and the number of a stock item of its own partition.
const STOCK_PARTITION: &str = "#STOCK#";

const ITEM: &str = "ITEM#";

const LOGIN_ATTEMPTS: &str = "LOGIN_ATTEMPTS";

/// The prefixes of partition keys, in the table and in the index. A policy's `dynamodb:LeadingKeys`
/// names these.
pub mod prefix {
    /// For a user, and the user's orders.
    pub const USER: &str = "USER#";
    /// For what belongs to an email.
    pub const EMAIL: &str = "EMAIL#";
    /// For a product and its stock.
    pub const PRODUCT: &str = "PRODUCT#";
    /// For the products of a category, in the index.
    pub const CATEGORY: &str = "CATEGORY#";
    /// For an order's items, and for the order itself in the index. The sort keys of a user's
    /// orders also start with it.
    pub const ORDER: &str = "ORDER#";
    /// For the idempotency keys of a user. Apart from the user, so that no function needs to write
    /// among users because of them.
    pub const IDEMPOTENCY: &str = "IDEMPOTENCY#";
    /// For the mail that an event or a request causes. Apart from the order, whose items are read all together.
    pub const MAIL: &str = "MAIL#";
    /// For how often an email was written to about its account. Apart from the email's guard, which the function
    /// that counts must not write.
    pub const MAILS: &str = "MAILS#";
    /// For the sessions of a user. Apart from the user, so that the function that lists them may read no
    /// orders.
    pub const SESSION: &str = "SESSION#";
    /// For the failed log-ins from a source. The sort keys of an email's known sources also start with it.
    pub const SOURCE: &str = "SOURCE#";
    /// For a registration that waits until its email is verified. Apart from users, because it is none yet.
    pub const REGISTRATION: &str = "REGISTRATION#";
    /// For the token of a mail, by its hash.
    pub const TOKEN: &str = "TOKEN#";
    /// For the orders that the shop has something to do with, in the second index.
    pub const STATUS: &str = "STATUS#";
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
    /// The key of this item, whatever it is; `None` if its keys are no texts.
    pub(crate) fn of(mut item: Item) -> Option<Self> {
        let mut text = |name: &str| match item.remove(name) {
            Some(AttributeValue::S(text)) => Some(text),
            _ => None,
        };
        Some(Self { pk: text(PK)?, sk: text(SK)? })
    }

    /// The key of an [`ItemType::User`].
    #[must_use]
    pub fn user(id: UserId) -> Self {
        Self { pk: user_partition(id), sk: METADATA.to_owned() }
    }

    /// The key of an [`ItemType::UniqueEmail`].
    #[must_use]
    pub fn unique_email(email: &Email) -> Self {
        Self { pk: email_partition(email), sk: METADATA.to_owned() }
    }

    /// The key of an [`ItemType::Order`]. The two ids are enough, because the order's `createdAt`
    /// is the time of its id.
    #[must_use]
    pub fn order(user_id: UserId, id: OrderId) -> Self {
        Self { pk: user_partition(user_id), sk: format!("{ORDER}{}#{id}", id.created_at()) }
    }

    /// The key of an [`ItemType::OrderItem`].
    #[must_use]
    pub fn order_item(order_id: OrderId, product_id: ProductId) -> Self {
        Self { pk: order_partition(order_id), sk: format!("{ITEM}{product_id}") }
    }

    /// The key of an [`ItemType::Product`].
    #[must_use]
    pub fn product(id: ProductId) -> Self {
        Self { pk: product_partition(id), sk: METADATA.to_owned() }
    }

    /// The key of an [`ItemType::Stock`]. The first one, 0, is in the product's partition, where one
    /// request reads both. Each of the others has a partition of its own, because a partition takes
    /// 1,000 write units a second.
    #[must_use]
    pub fn stock(id: ProductId, number: u8) -> Self {
        let product = product_partition(id);
        let pk = match number {
            0 => product,
            _ => format!("{product}{STOCK_PARTITION}{number:02}"),
        };
        Self { pk, sk: STOCK.to_owned() }
    }

    /// The key of an [`ItemType::Idempotency`].
    #[must_use]
    pub fn idempotency(user_id: UserId, key: &IdempotencyKey) -> Self {
        Self { pk: format!("{IDEMPOTENCY}{user_id}"), sk: key.as_str().to_owned() }
    }

    /// The key of an [`ItemType::Mail`], by the id of the event or the request that causes it.
    #[must_use]
    pub fn mail(event_id: &str) -> Self {
        Self { pk: format!("{MAIL}{event_id}"), sk: METADATA.to_owned() }
    }

    /// The key of an [`ItemType::AccountMails`], for this kind of mail.
    #[must_use]
    pub fn account_mails(email: &Email, mail: AccountMailKind) -> Self {
        Self { pk: format!("{MAILS}{}", email.as_str()), sk: mail.as_str().to_owned() }
    }

    /// The key of an [`ItemType::MailToken`].
    #[must_use]
    pub fn mail_token(token: &MailToken) -> Self {
        Self { pk: format!("{TOKEN}{}", token.hash()), sk: METADATA.to_owned() }
    }

    /// The key of an [`ItemType::Registration`], by the id that the user will have.
    #[must_use]
    pub fn registration(id: UserId) -> Self {
        Self { pk: format!("{REGISTRATION}{id}"), sk: METADATA.to_owned() }
    }

    /// The key of an [`ItemType::Session`].
    #[must_use]
    pub fn session(user_id: UserId, id: SessionId) -> Self {
        Self { pk: session_partition(user_id), sk: id.to_string() }
    }

    /// The key of an [`ItemType::LoginAttempts`], for this version of the password.
    #[must_use]
    pub fn login_attempts(email: &Email, password: u64, source: Option<&Source>) -> Self {
        let source = source.map_or("-", Source::as_str);
        Self { pk: email_partition(email), sk: format!("{LOGIN_ATTEMPTS}#{password}#{source}") }
    }

    /// The key of an [`ItemType::EmailAttempts`], for this version of the password.
    #[must_use]
    pub fn email_attempts(email: &Email, password: u64) -> Self {
        Self { pk: email_partition(email), sk: format!("{LOGIN_ATTEMPTS}#{password}") }
    }

    /// The key of an [`ItemType::SourceAttempts`].
    #[must_use]
    pub fn source_attempts(source: &Source) -> Self {
        Self { pk: format!("{SOURCE}{source}"), sk: LOGIN_ATTEMPTS.to_owned() }
    }

    /// The key of an [`ItemType::KnownSource`], for this version of the password.
    #[must_use]
    pub fn known_source(email: &Email, password: u64, source: &Source) -> Self {
        Self { pk: email_partition(email), sk: format!("{SOURCE}{password}#{source}") }
    }
}

/// The key as DynamoDB expects it.
impl From<Key> for Item {
    fn from(key: Key) -> Self {
        Self::from([
            (PK.to_owned(), AttributeValue::S(key.pk)),
            (SK.to_owned(), AttributeValue::S(key.sk)),
        ])
    }
}

/// Returns the `PK` of a user and of the user's orders. It is also the `GSI1SK` of both.
#[must_use]
pub fn user_partition(id: UserId) -> String {
    format!("{USER}{id}")
}

/// Returns the `PK` of what belongs to an email, which is also the `GSI1PK` of the user who has it.
#[must_use]
pub fn email_partition(email: &Email) -> String {
    format!("{EMAIL}{}", email.as_str())
}

/// Returns the `PK` of an order's items, which is also the `GSI1PK` of the order itself.
#[must_use]
pub fn order_partition(id: OrderId) -> String {
    format!("{ORDER}{id}")
}

/// Returns the `PK` of a product and of its first stock item.
#[must_use]
pub fn product_partition(id: ProductId) -> String {
    format!("{PRODUCT}{id}")
}

/// Returns the `PK` of a user's sessions.
#[must_use]
pub fn session_partition(id: UserId) -> String {
    format!("{SESSION}{id}")
}

/// Returns the first and the last `SK` of the orders in a time range, for `BETWEEN`.
///
/// Both bounds lack the order's id. A sort key with exactly the bound's time is longer, and so
/// sorts after the bound. That makes `from` inclusive and `to` exclusive.
#[must_use]
pub fn order_sort_keys(range: CreatedBetween) -> (String, String) {
    (
        range.from.map_or_else(|| ORDER.to_owned(), |from| format!("{ORDER}{from}")),
        // Every time starts with a digit, and `:` is the character after the digits.
        range.to.map_or_else(|| format!("{ORDER}:"), |to| format!("{ORDER}{to}")),
    )
}

/// Returns the `GSI1PK` of the products of a category.
#[must_use]
pub fn category_partition(category: &Category) -> String {
    format!("{CATEGORY}{}", category.folded())
}

/// Returns the user that a partition of idempotency keys belongs to.
#[must_use]
pub fn user_of_idempotency_keys(partition_key: &str) -> Option<UserId> {
    partition_key.strip_prefix(IDEMPOTENCY)?.parse().ok()
}

/// Returns the email that a partition belongs to.
#[must_use]
pub fn email_of_partition(partition_key: &str) -> Option<Email> {
    partition_key.strip_prefix(EMAIL).map(Email::stored)
}

/// Returns the number of a stock item, from its keys.
#[must_use]
pub fn number_of_stock_item(item: &Item) -> Option<u8> {
    if item.get(SK)?.as_s().ok()? != STOCK {
        return None;
    }
    let partition_key = item.get(PK)?.as_s().ok()?;
    match partition_key.strip_prefix(PRODUCT)?.split_once(STOCK_PARTITION) {
        Some((_, number)) => number.parse().ok(),
        None => Some(0),
    }
}

/// Whether a sort key is that of a stock item.
#[must_use]
pub fn is_stock(sort_key: &str) -> bool {
    sort_key == STOCK
}

/// Returns the product that a stock item belongs to, from its partition key.
#[must_use]
pub fn product_of_stock(partition_key: &str) -> Option<ProductId> {
    let product = partition_key.strip_prefix(PRODUCT)?;
    product.split_once(STOCK_PARTITION).map_or(product, |(id, _)| id).parse().ok()
}

/// Returns the order that an item of a user belongs to, from its sort key.
pub(crate) fn order_of(item: &Item) -> Option<OrderId> {
    let sort_key = item.get(SK)?.as_s().ok()?;
    let (time, id) = sort_key.strip_prefix(ORDER)?.split_once('#')?;
    let id: OrderId = id.parse().ok()?;
    (id.created_at().to_string() == time).then_some(id)
}

/// Returns the session that an item of a user's sessions belongs to, from its sort key.
pub(crate) fn session_of(item: &Item) -> Option<SessionId> {
    item.get(SK)?.as_s().ok()?.parse().ok()
}

/// Returns the product that an item of a category belongs to, from its partition key, which is also
/// its sort key in the index.
pub(crate) fn product_of(item: &Item) -> Option<ProductId> {
    let key = item.get(GSI1SK).filter(|key| item.get(PK) == Some(*key))?;
    key.as_s().ok()?.strip_prefix(PRODUCT)?.parse().ok()
}

/// Returns the prefix of a partition key, up to its first `#`: what it belongs to, but not whose it
/// is.
pub(crate) fn partition_prefix(partition_key: &str) -> Option<&str> {
    partition_key.find('#').map(|end| &partition_key[..=end])
}

/// Builds the item of an entity: its attributes, its keys and its type.
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

/// Reads the entity of an item, which must have the type that its key promised. `NULL` counts as
/// absent: document clients in JavaScript write it for an absent value.
pub(crate) fn entity<T: DeserializeOwned>(kind: ItemType, item: Item) -> Result<T> {
    match item.get(TYPE) {
        Some(AttributeValue::S(found)) if found == kind.as_str() => {}
        found => {
            return Err(Error::Item(format!("expected _type {}, found {found:?}", kind.as_str())));
        }
    }
    // One that is larger cannot be counted up. The shop writes none.
    if let Some(AttributeValue::N(version)) = item.get("version")
        && version.parse::<i64>().is_err()
    {
        return Err(Error::Item(format!("its version is {version}")));
    }
    // `serde_dynamo::from_item` would first copy the item into maps of its own, twice, which takes
    // as long as all the rest.
    let present = item.into_iter().filter(|(_, value)| !value.is_null());
    let attributes = present.map(|(name, value)| (name, Attribute(value)));
    Ok(T::deserialize(MapDeserializer::new(attributes))?)
}

struct Attribute(AttributeValue);

impl IntoDeserializer<'_, serde_dynamo::Error> for Attribute {
    type Deserializer = serde_dynamo::Deserializer;

    fn into_deserializer(self) -> Self::Deserializer {
        serde_dynamo::Deserializer::from_attribute_value(self.0.into())
    }
}
