//! Deleting a product with all its stock items.

use crate::change::Change;
use crate::schema::Key;
use crate::transaction::{self, Outcome};
use crate::{ProductId, Products, Result, Version, retry};

use super::refusal;

/// The product's position among the actions. Its stock items follow.
const PRODUCT: usize = 0;

impl Products {
    /// Deletes a product and its stock. Orders keep the name and the price they were placed with.
    pub async fn delete(&self, id: ProductId, expected: Option<Version>) -> Result<()> {
        retry::while_outdated(|| self.try_to_delete(id, expected)).await
    }

    async fn try_to_delete(&self, id: ProductId, expected: Option<Version>) -> Result<Option<()>> {
        let first = self.first_stock_item(id).await?;
        let product = Change::unseen().require_version(expected);
        let mut actions = vec![product.into_delete(&self.table, Key::product(id))?];
        actions.extend(first.delete_all(&self.table)?);
        Ok(match transaction::write(&self.table, actions).await? {
            Outcome::Written => Some(()),
            Outcome::Cancelled(mut failed) => match failed.remove(&PRODUCT) {
                Some(found) => return Err(refusal(found)),
                // Its stock was spread meanwhile.
                None => None,
            },
        })
    }
}
