//! Pending orders that were not paid in time, and those of users who leave.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Orders, Worklist};
use crate::change::{Change, string};
use crate::schema::{self, GSI2, Item, Key};
use crate::transaction::{self, Written};
use crate::{Error, OrderId, OrderStatus, Result, Timestamp, UserId, page};

/// How many of a user's newest orders [`Orders::let_expire`] looks at.
const NEWEST: i32 = 100;

/// A pending order that was not paid in time, as the index has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverdueOrder {
    /// Its id.
    pub id: OrderId,
    /// Whose it is.
    pub user_id: UserId,
    /// Until when it had to be paid.
    pub pay_by: Timestamp,
}

/// A part of the overdue orders of one shard.
#[derive(Clone, Debug, Default)]
pub struct OverdueOrders {
    /// The orders, those placed first at the beginning.
    pub orders: Vec<OverdueOrder>,
    /// The number of orders that cannot be read, and are left out.
    pub unreadable: usize,
    /// Where to read on; `None` if there are no more.
    pub next: Option<OverdueAfter>,
}

/// A place in the pending orders of a shard.
#[derive(Clone, Debug)]
pub struct OverdueAfter(Item);

impl Orders {
    /// Reads what the index has of the orders in one shard (below [`schema::WORKLIST_SHARDS`]) that had
    /// to be paid before or at this time: one request, which reads up to 1 MB of pending orders, so
    /// there may be none although more follow. Orders that need not be paid by a time are not among
    /// them.
    ///
    /// The index may be a moment old. [`Orders::expire`] decides on the order itself.
    pub async fn overdue(
        &self,
        shard: u8,
        at: Timestamp,
        after: Option<OverdueAfter>,
    ) -> Result<OverdueOrders> {
        let answer = self
            .table
            .client
            .query()
            .table_name(&self.table.name)
            .index_name(GSI2)
            .key_condition_expression("GSI2PK = :list")
            .filter_expression("payBy <= :now")
            .projection_expression("PK, SK, id, userId, payBy")
            .expression_attribute_values(
                ":list",
                string(schema::worklist_partition(Worklist::Pending, shard)),
            )
            .expression_attribute_values(":now", string(at))
            .set_exclusive_start_key(after.map(|OverdueAfter(key)| key))
            .send()
            .await?;
        let next = answer.last_evaluated_key.map(OverdueAfter);
        let mut found = OverdueOrders { next, ..OverdueOrders::default() };
        for item in answer.items.unwrap_or_default() {
            if let Some(order) = overdue_order(&item) {
                found.orders.push(order);
            } else {
                found.unreadable += 1;
                let error = Error::Item("it has no id, user or payBy".to_owned());
                page::log_unreadable(item.get(schema::PK), item.get(schema::SK), &error);
            }
        }
        Ok(found)
    }

    /// Lets the pending orders of a user who has been deleted expire at the next opportunity: those among
    /// the newest 100. Returns how many.
    ///
    /// It makes no new version of an order: nobody waits for the payment of a user who is gone, and
    /// there is nothing to tell.
    pub async fn let_expire(&self, user_id: UserId, now: Timestamp) -> Result<usize> {
        let answer = self
            .of_user(user_id)
            .filter_expression("#status = :pending")
            .projection_expression("PK, SK")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", string(OrderStatus::Pending))
            .consistent_read(true)
            .limit(NEWEST)
            .send()
            .await?;
        let mut pending = 0;
        for item in answer.items.unwrap_or_default() {
            let Some(id) = schema::order_of(&item) else { continue };
            let change = Change::unseen()
                .require("status", string(OrderStatus::Pending))
                .set("payBy", string(now))
                .into_action(&self.table, Key::order(user_id, id))?;
            // One that is not pending any more is no concern.
            if let Written::Done = transaction::write_one(&self.table, change).await? {
                pending += 1;
            }
        }
        Ok(pending)
    }
}

fn overdue_order(item: &HashMap<String, AttributeValue>) -> Option<OverdueOrder> {
    let text = |name| item.get(name)?.as_s().ok();
    Some(OverdueOrder {
        id: text("id")?.parse().ok()?,
        user_id: text("userId")?.parse().ok()?,
        pay_by: text("payBy")?.parse().ok()?,
    })
}
