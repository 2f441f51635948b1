//! The keys of the two indexes.

use aws_sdk_dynamodb::types::AttributeValue;

use super::prefix::{PRODUCT, STATUS};
use super::{
    GSI1PK, GSI1SK, GSI2PK, GSI2SK, Item, WORKLIST_SHARDS, category_partition, email_partition,
    order_partition, user_partition,
};
use crate::{Category, CreatedBetween, Email, OrderId, ProductId, UserId, Worklist};

/// An item's key in `GSI1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// The value of `GSI1PK`.
    pub pk: String,
    /// The value of `GSI1SK`.
    pub sk: String,
}

impl IndexKey {
    /// The key of a user, by email.
    #[must_use]
    pub fn user(id: UserId, email: &Email) -> Self {
        Self { pk: email_partition(email), sk: user_partition(id) }
    }

    /// The key of an order, by its id alone.
    #[must_use]
    pub fn order(user_id: UserId, id: OrderId) -> Self {
        Self { pk: order_partition(id), sk: user_partition(user_id) }
    }

    /// The key of a product, by category.
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

/// The key in `GSI2` of an order that the shop has something to do with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorklistKey {
    /// The value of `GSI2PK`.
    pub pk: String,
    /// The value of `GSI2SK`.
    pub sk: String,
}

impl WorklistKey {
    /// The key of an order in this list.
    #[must_use]
    pub fn order(list: Worklist, id: OrderId) -> Self {
        // The last byte of an id is random.
        let shard = id.as_bytes()[15] % WORKLIST_SHARDS;
        Self { pk: worklist_partition(list, shard), sk: Self::sort_key(id) }
    }

    pub(crate) fn sort_key(id: OrderId) -> String {
        format!("{}#{id}", id.created_at())
    }
}

impl From<WorklistKey> for Item {
    fn from(key: WorklistKey) -> Self {
        Self::from([
            (GSI2PK.to_owned(), AttributeValue::S(key.pk)),
            (GSI2SK.to_owned(), AttributeValue::S(key.sk)),
        ])
    }
}

/// Returns the `GSI2PK` of one shard of a list.
#[must_use]
pub fn worklist_partition(list: Worklist, shard: u8) -> String {
    format!("{STATUS}{list}#{shard}")
}

/// Returns the first and the last `GSI2SK` of the orders in a time range that follow an order, for
/// `BETWEEN`. As in [`order_sort_keys`], bounds lack the id.
pub(crate) fn worklist_sort_keys(
    range: CreatedBetween,
    after: Option<OrderId>,
) -> (String, String) {
    // No key is longer, so this is the first text after the key itself.
    let after = after.map(|id| format!("{}!", WorklistKey::sort_key(id)));
    let from = range.from.map(|from| from.to_string());
    (
        after.max(from).unwrap_or_else(|| "0".to_owned()),
        // Every time starts with a digit, and `:` is the character after the digits.
        range.to.map_or_else(|| ":".to_owned(), |to| to.to_string()),
    )
}
