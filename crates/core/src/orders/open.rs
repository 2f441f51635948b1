//! How many pending orders a user has: what the cap on them goes by.

use super::{OrderStatus, Orders};
use crate::change::string;
use crate::schema::{self, ItemType};
use crate::table::Consistency;
use crate::{Error, Result, UserId};

impl Orders {
    /// Rejects a user who has as many pending orders as the rules allow
    /// ([`Error::TooManyOpenOrders`]).
    ///
    /// It looks at the newest orders only, twice as many as may be pending, so that it costs the same
    /// however many orders a user has placed. Of several orders that are placed at the same time, each
    /// may see too few; and a pending order that has been followed by that many others is not seen.
    pub(super) async fn expect_room(
        &self,
        user_id: UserId,
        consistency: Consistency,
    ) -> Result<()> {
        let Some(max) = self.rules.max_open else { return Ok(()) };
        let answer = self
            .of_user(user_id)
            .projection_expression("#type, #status")
            .expression_attribute_names("#type", schema::TYPE)
            .expression_attribute_names("#status", "status")
            .consistent_read(consistency == Consistency::Strong)
            .limit(i32::try_from(2 * max).unwrap_or(i32::MAX))
            .send()
            .await?;
        // One that cannot be read is not counted: it must not keep its user from ordering.
        let (order, pending) = (string(ItemType::Order), string(OrderStatus::Pending));
        let pending = answer.items.unwrap_or_default().into_iter().filter(|item| {
            item.get(schema::TYPE) == Some(&order) && item.get("status") == Some(&pending)
        });
        if pending.count() >= max as usize {
            return Err(Error::TooManyOpenOrders { max });
        }
        Ok(())
    }
}
