//! Orders and their items.

mod draft;
mod place;
mod status;
mod take;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::access_patterns::{AccessPattern, pattern};
use crate::change::string;
use crate::schema::{self, IndexKey, Item, ItemType, Key};
use crate::table::Consistency;
use crate::{
    Currency, EntityId, Error, OrderId, Page, PageRequest, ProductId, RequestId, Result, Table,
    Timestamp, UserId, Version, page, request_id,
};

pub use place::{MAX_ORDER_ITEMS, MAX_QUANTITY, NewOrder, NewOrderItem};
pub use status::StatusChange;

/// An order without its items, as stored in the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct Order {
    pub id: OrderId,
    pub user_id: UserId,
    pub status: OrderStatus,
    /// The number of items. Tells a complete order from one read in the middle of its transaction.
    pub item_count: usize,
    /// In the currency's minor unit (cents).
    pub total: u64,
    pub currency: Currency,
    pub version: Version,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The request that last changed it, if known.
    #[serde(
        default,
        deserialize_with = "request_id::if_valid",
        skip_serializing_if = "Option::is_none"
    )]
    pub request_id: Option<RequestId>,
}

/// One product of an order, with its name and price at the time of the order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderItem {
    pub order_id: OrderId,
    pub product_id: ProductId,
    pub name: String,
    pub quantity: u32,
    /// Of one piece, in the currency's minor unit (cents).
    pub price: u64,
    /// How many pieces were taken from the stock: 0 if it was not counted. `None` if that is not
    /// known, because version 0.1 placed the order or it was migrated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<u32>,
    /// The number of the stock item that they were taken from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<u8>,
}

/// An order with all its items, sorted by product id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrderWithItems {
    pub order: Order,
    pub items: Vec<OrderItem>,
}

/// How far an order has progressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum OrderStatus {
    Pending,
    Paid,
    Shipped,
    Delivered,
    Cancelled,
}

/// The text is not the status of an order.
#[derive(Debug, thiserror::Error)]
#[error("must be pending, paid, shipped, delivered or cancelled")]
pub struct InvalidStatus;

/// Whose orders an operation may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderAccess {
    /// Only this user's; all others are treated as missing.
    OwnedBy(UserId),
    /// All users' orders.
    Any,
}

/// A range of creation times.
#[derive(Clone, Copy, Debug, Default)]
pub struct CreatedBetween {
    /// Inclusive.
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
}

/// The orders of the shop.
#[derive(Clone, Debug)]
pub struct Orders {
    table: Table,
}

impl Orders {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern(
            "place an order of n items",
            "1 BatchGetItem (the stock items, the user) + 1 TransactWriteItems",
        )
        .reads(0.5)
        .reads_per_item(0.5)
        .writes(3.0)
        .writes_per_item(4.0),
        pattern("place an order of n items", "the record is part of both")
            .case("with an idempotency key")
            .reads(1.5)
            .reads_per_item(0.5)
            .writes(5.0)
            .writes_per_item(4.0),
        pattern("place an order of n items", "1 BatchGetItem, then GetItem and Query concurrently")
            .case("that was placed before with its key")
            .reads(2.5)
            .reads_per_item(0.5),
        pattern(
            "refuse an order of a sold-out product",
            "2 BatchGetItem, the second strongly consistent",
        )
        .reads(3.0),
        pattern(
            "refuse an order of a sold-out product",
            "1 BatchGetItem + 3 of the n others + 2 GetItem",
        )
        .case("spread over n + 1 items")
        .reads(3.0)
        .reads_per_item(2.5),
        pattern("orders of a user, newest first, a page of n, optionally from/to", "1 Query")
            .reads_per_4_kb(0.5),
        pattern("own order with items", "concurrent GetItem (key rebuilt) and Query of the items")
            .reads(1.0),
        pattern("any order by id, with items", "concurrent Query on GSI1 and Query of the items")
            .reads(1.0),
        pattern("change an order's status", "the read above + 1 TransactWriteItems")
            .reads(1.0)
            .writes(3.0),
        pattern(
            "cancel an order of n items",
            "the read above + 1 TransactWriteItems that also restocks",
        )
        .reads(1.0)
        .writes(3.0)
        .writes_per_item(2.0),
        pattern("cancel an order of n items", "the owner's role, read along with the order")
            .case("as its owner")
            .reads(2.0)
            .writes(3.0)
            .writes_per_item(2.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Finds an order with its items, in one round trip.
    pub async fn find(&self, access: OrderAccess, id: OrderId) -> Result<Option<OrderWithItems>> {
        let (order, items) = tokio::try_join!(
            self.find_without_items(access, id),
            self.items(id, Consistency::Eventual)
        )?;
        let found = order.map(|order| OrderWithItems { order, items });
        match (found, access) {
            (Some(found), _) if found.is_complete() => Ok(Some(found)),
            // A new order may not have reached the replica that was read, or only in part.
            (Some(found), _) => self.find_now(found.order.user_id, id).await,
            (None, OrderAccess::OwnedBy(user_id)) => self.find_now(user_id, id).await,
            (None, OrderAccess::Any) => Ok(None),
        }
    }

    /// Lists a user's orders, newest first, without their items.
    pub async fn list(
        &self,
        user_id: UserId,
        created: CreatedBetween,
        request: PageRequest<OrderId>,
    ) -> Result<Page<Order, OrderId>> {
        let (first, last) = schema::order_sort_keys(created);
        if first > last {
            // DynamoDB rejects such a range; for the caller it is a range without orders.
            return Ok(Page::empty());
        }
        // Rebuilt from the id and the caller's user, so a cursor cannot lead to another's orders.
        let after = request.after.map(|id| Key::order(user_id, id));
        // DynamoDB rejects a start outside the range. As the newest come first, nothing follows an
        // order older than the range, and the whole range follows a newer one.
        let (after, last) = match after {
            Some(key) if key.sk < first => return Ok(Page::empty()),
            // Nothing newer follows, so the range ends here. DynamoDB starts here anyway; the
            // embedded one would start at the range's end and skip everything that earlier pages
            // have shown.
            Some(key) if key.sk <= last => (Some(Item::from(key.clone())), key.sk),
            _ => (None, last),
        };
        let query = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("PK = :user AND SK BETWEEN :first AND :last")
            .expression_attribute_values(":user", string(schema::user_partition(user_id)))
            .expression_attribute_values(":first", string(&first))
            .expression_attribute_values(":last", string(&last))
            .scan_index_forward(false);
        page::read(query, ItemType::Order, request.limit, after, schema::order_of).await
    }

    async fn find_without_items(&self, access: OrderAccess, id: OrderId) -> Result<Option<Order>> {
        match access {
            OrderAccess::OwnedBy(user_id) => {
                self.table
                    .get(ItemType::Order, Key::order(user_id, id), Consistency::Eventual)
                    .await
            }
            OrderAccess::Any => {
                self.table.find_in_index(ItemType::Order, schema::order_partition(id)).await
            }
        }
    }

    /// Reads the order and its items with strong consistency.
    async fn find_now(&self, user_id: UserId, id: OrderId) -> Result<Option<OrderWithItems>> {
        let (order, items) = tokio::try_join!(
            self.table.get(ItemType::Order, Key::order(user_id, id), Consistency::Strong),
            self.items(id, Consistency::Strong)
        )?;
        Ok(order.map(|order| OrderWithItems { order, items }))
    }

    async fn items(&self, id: OrderId, consistency: Consistency) -> Result<Vec<OrderItem>> {
        // At most MAX_ORDER_ITEMS of less than 2 KB each: never cut at 1 MB.
        let answer = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("PK = :order")
            .expression_attribute_values(":order", string(schema::order_partition(id)))
            .consistent_read(consistency == Consistency::Strong)
            .send()
            .await?;
        answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| schema::entity(ItemType::OrderItem, item))
            .collect()
    }
}

impl EntityId for OrderId {
    fn not_found() -> Error {
        Error::OrderNotFound
    }
}

impl OrderWithItems {
    /// Returns an order's items in the table: the order, and then its order items. For programs
    /// that fill a table in bulk. [`Orders::place`] writes these items, and takes the products'
    /// stock.
    pub fn to_items(&self) -> Result<Vec<Item>> {
        let items = self.items.iter().map(OrderItem::to_item);
        std::iter::once(self.order.to_item()).chain(items).collect()
    }

    fn is_complete(&self) -> bool {
        self.order.item_count == self.items.len()
    }
}

/// Returns the price of all items, in the currency's minor unit. Cannot overflow: 48 items of at
/// most 999 pieces at 10^12 each stay below 2^64.
fn total(items: &[OrderItem]) -> u64 {
    items.iter().map(|item| item.price * u64::from(item.quantity)).sum()
}

impl Order {
    fn to_item(&self) -> Result<Item> {
        let index_key = IndexKey::order(self.user_id, self.id);
        schema::item(ItemType::Order, Key::order(self.user_id, self.id), Some(index_key), self)
    }
}

impl OrderItem {
    fn to_item(&self) -> Result<Item> {
        let key = Key::order_item(self.order_id, self.product_id);
        schema::item(ItemType::OrderItem, key, None, self)
    }
}

impl OrderStatus {
    /// Whether the shop's rules let an order change from this status to `to`.
    #[must_use]
    pub const fn may_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Pending, Self::Paid | Self::Cancelled)
                | (Self::Paid, Self::Shipped | Self::Cancelled)
                | (Self::Shipped, Self::Delivered)
        )
    }

    /// The status as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OrderStatus {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Pending, Self::Paid, Self::Shipped, Self::Delivered, Self::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(InvalidStatus)
    }
}
