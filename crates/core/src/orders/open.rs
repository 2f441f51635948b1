//! How many pending orders a user has: what the cap on them goes by.

use super::{OrderStatus, Orders, Payment};
use crate::change::{number, string};
use crate::schema::{self, Item, ItemType};
use crate::table::Consistency;
use crate::{Error, Result, Timestamp, UserId};

impl Orders {
    /// Rejects a user who has as many pending orders as the rules allow, or has paid for none of the
    /// newest twice as many while there was time to ([`Error::TooManyOpenOrders`]).
    ///
    /// It looks at the newest orders only, twice as many as may be pending, so that it costs the same
    /// however many orders a user has placed. Without the second rule, orders that are placed and
    /// cancelled would push the pending ones out of sight. A pending order is not seen if somebody has
    /// paid for one of the many that followed it, or if orders never expire. Of several orders that are
    /// placed at the same time, each may see too few.
    pub(super) async fn expect_room(
        &self,
        user_id: UserId,
        consistency: Consistency,
    ) -> Result<()> {
        let Some(max) = self.rules.max_open else { return Ok(()) };
        let answer = self
            .of_user(user_id)
            .projection_expression("#type, #status, payment, #total, createdAt")
            .expression_attribute_names("#type", schema::TYPE)
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#total", "total")
            .consistent_read(consistency == Consistency::Strong)
            .limit(i32::try_from(2 * max).unwrap_or(i32::MAX))
            .send()
            .await?;
        // One that cannot be read is not counted: it must not keep its user from ordering.
        let order = string(ItemType::Order);
        let mut newest = answer.items.unwrap_or_default();
        newest.retain(|item| item.get(schema::TYPE) == Some(&order));
        let max_open = max as usize;
        let pending =
            newest.iter().filter(|item| has(item, "status", OrderStatus::Pending)).count();
        let hides_others = newest.len() >= 2 * max_open
            && newest.iter().all(|item| !was_paid_for(item))
            && newest.last().is_some_and(|oldest| self.may_be_paid(oldest));
        if pending >= max_open || hides_others {
            return Err(Error::TooManyOpenOrders { max });
        }
        Ok(())
    }

    /// Whether the time to pay for an order that was placed at the same time as this one is not up.
    fn may_be_paid(&self, order: &Item) -> bool {
        let text = order.get("createdAt").and_then(|created_at| created_at.as_s().ok());
        let created_at: Option<Timestamp> = text.and_then(|text| text.parse().ok());
        let pay_by = created_at.and_then(|created_at| self.rules.pay_by(created_at));
        pay_by.is_some_and(|pay_by| pay_by > Timestamp::now())
    }
}

/// Whether somebody has paid for an order, which those that are free do not count as.
fn was_paid_for(order: &Item) -> bool {
    let is_unpaid = has(order, "status", OrderStatus::Pending)
        || has(order, "status", OrderStatus::Cancelled) && has(order, "payment", Payment::Unpaid);
    !is_unpaid && order.get("total") != Some(&number(0_u64))
}

fn has(order: &Item, name: &str, text: impl ToString) -> bool {
    order.get(name) == Some(&string(text))
}
