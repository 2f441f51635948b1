//! Orders and their items.

mod address;
mod adjustments;
mod change_status;
mod draft;
mod erase;
mod number;
mod open;
mod order;
mod overdue;
mod place;
mod put_back;
mod refund;
mod rules;
mod status;
mod take;
mod worklist;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use futures_util::future::try_join_all;

use crate::access_patterns::{AccessPattern, pattern};
use crate::change::string;
use crate::schema::{self, Item, ItemType, Key};
use crate::table::Consistency;
use crate::{EntityId, Error, OrderId, Page, PageRequest, Result, Table, Timestamp, UserId, page};

pub use address::{Address, AddressLine, Country, InvalidCountry, ShortLine, Tracking};
pub use adjustments::{Adjustment, AdjustmentKind};
pub use change_status::StatusChange;
pub use erase::Erased;
pub use number::{InvalidOrderNumber, OrderNumber};
pub use order::{Order, OrderItem, OrderWithItems};
pub use overdue::{OverdueAfter, OverdueOrder, OverdueOrders};
pub use place::{MAX_ORDER_ITEMS, MAX_QUANTITY, NewOrder, NewOrderItem};
pub use refund::Refund;
pub use rules::{InvalidRule, OrderRules};
pub use status::{CancelReason, InvalidPayment, InvalidStatus, OrderStatus, Payment, Worklist};

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
    rules: OrderRules,
}

impl Orders {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern(
            "place an order of n items",
            "1 BatchGetItem (the stock items, the user) + 1 TransactWriteItems",
        )
        .reads(0.5)
        .reads_per_item(0.5)
        .writes(4.0)
        .writes_per_item(4.0),
        pattern("place an order of n items", "+ 1 Query of the newest twice as many, concurrently")
            .case("if a user's open orders are capped")
            .reads(0.5)
            .reads_per_item(0.5)
            .reads_per_4_kb(0.5)
            .writes(4.0)
            .writes_per_item(4.0),
        pattern("place an order of n items", "the record is part of both")
            .case("with an idempotency key")
            .reads(1.5)
            .reads_per_item(0.5)
            .writes(6.0)
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
        pattern(
            "own orders with items, newest first, a page of n",
            "1 Query + n Query of the items",
        )
        .reads_per_4_kb(0.5)
        .reads_per_item(0.5),
        pattern("own order with items", "concurrent GetItem (key rebuilt) and Query of the items")
            .reads(1.0),
        pattern("any order by id, with items", "concurrent Query on GSI1 and Query of the items")
            .reads(1.0),
        pattern(
            "orders of all users that something is to be done with, oldest first, a page of n, \
             optionally from/to",
            "8 Query on GSI2, one for each shard, concurrently",
        )
        .reads(4.0),
        pattern("change an order's status", "the read above + 1 TransactWriteItems")
            .reads(1.0)
            .writes(5.0),
        pattern("change an order's status", "the same, without another list in GSI2")
            .case("when nothing is left to do with it")
            .reads(1.0)
            .writes(4.0),
        pattern(
            "cancel an order of n items",
            "the read above + 1 TransactWriteItems that also restocks",
        )
        .reads(1.0)
        .writes(4.0)
        .writes_per_item(2.0),
        pattern("cancel an order of n items", "the owner's role, read along with the order")
            .case("as its owner")
            .reads(2.0)
            .writes(4.0)
            .writes_per_item(2.0),
        pattern("book a refund", "the read above + 1 TransactWriteItems, with the record")
            .reads(1.0)
            .writes(6.0),
        pattern("orders that were not paid in time", "1 Query on GSI2 for each of 8 shards")
            .reads_per_4_kb(0.5),
        pattern(
            "cancel an overdue order of n items",
            "GetItem and Query, strongly consistent + 1 TransactWriteItems that also restocks",
        )
        .reads(2.0)
        .writes(4.0)
        .writes_per_item(2.0),
        pattern(
            "let n pending orders of a deleted user expire",
            "1 Query of the newest 100, strongly consistent + n TransactWriteItems",
        )
        .reads_per_4_kb(1.0)
        .writes_per_item(4.0),
        pattern(
            "remove the addresses from n orders of a deleted user",
            "GetItem of the user and 1 Query, strongly consistent + n TransactWriteItems",
        )
        .reads(1.0)
        .reads_per_4_kb(1.0)
        .writes_per_item(3.0),
    ];

    /// Creates the repository for this table, without any limit to new orders.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table, rules: OrderRules::default() }
    }

    /// Makes these rules hold for new orders.
    #[must_use]
    pub fn with_rules(self, rules: OrderRules) -> Self {
        Self { rules, ..self }
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

    /// Lists a user's orders with their items, newest first: one request more for each order.
    pub async fn list_with_items(
        &self,
        user_id: UserId,
        request: PageRequest<OrderId>,
    ) -> Result<Page<OrderWithItems, OrderId>> {
        let page = self.list(user_id, CreatedBetween::default(), request).await?;
        let with_items = page.items.into_iter().map(|order| async {
            let items = self.items(order.id, Consistency::Eventual).await?;
            let found = OrderWithItems { order, items };
            if found.is_complete() {
                return Ok(Some(found));
            }
            // As in `find`.
            self.find_now(user_id, found.order.id).await
        });
        let items = try_join_all(with_items).await?.into_iter().flatten().collect();
        Ok(Page { items, unreadable: page.unreadable, next: page.next })
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

    /// Starts a query of all orders of a user, newest first.
    fn of_user(&self, user_id: UserId) -> QueryFluentBuilder {
        self.table
            .client
            .query()
            .table_name(&self.table.name)
            .key_condition_expression("PK = :user AND begins_with(SK, :order)")
            .expression_attribute_values(":user", string(schema::user_partition(user_id)))
            .expression_attribute_values(":order", string(schema::prefix::ORDER))
            .scan_index_forward(false)
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
