//! Removing where a person lived from their orders, which outlive the user.

use super::Orders;
use crate::change::Change;
use crate::schema::Key;
use crate::transaction::{self, Written};
use crate::{Result, UserId, Users};

const ADDRESS: &str = "shippingAddress";

/// What [`Orders::erase`] has looked at and done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// The user's orders.
    pub orders: usize,
    /// How many of them had an address.
    pub addresses: usize,
}

impl Orders {
    /// Removes the addresses from all orders of a user who has been deleted. Returns `None`, and removes
    /// nothing, if the user still exists.
    ///
    /// An address is all that an order knows of a person, apart from the user's id. It makes no new version
    /// of an order, so there is no event. A deleted user places no more orders, so after one complete run
    /// nothing is left; after a failure, run it again.
    pub async fn erase(&self, user_id: UserId) -> Result<Option<Erased>> {
        if Users::new(self.table.clone()).role_of(user_id).await?.is_some() {
            return Ok(None);
        }
        let query = self
            .of_user(user_id)
            .filter_expression("attribute_exists(#address)")
            .projection_expression("PK, SK")
            .expression_attribute_names("#address", ADDRESS)
            .consistent_read(true);
        let mut erased = Erased::default();
        let mut start = None;
        loop {
            let answer = query.clone().set_exclusive_start_key(start).send().await?;
            erased.orders += usize::try_from(answer.scanned_count).unwrap_or_default();
            for key in answer.items.unwrap_or_default().into_iter().filter_map(Key::of) {
                let change = Change::unseen().remove(ADDRESS).into_action(&self.table, key)?;
                if let Written::Done = transaction::write_one(&self.table, change).await? {
                    erased.addresses += 1;
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(Some(erased));
            }
        }
    }
}
