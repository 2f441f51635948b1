//! Deleting a product with all its stock items.

use aws_sdk_dynamodb::types::{Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem};

use crate::change::number;
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
        let spread = self.first_stock_item(id).await?.spread();
        let product = self.delete_action(Key::product(id));
        let product = match expected {
            None => product.condition_expression("attribute_exists(PK)"),
            Some(version) => product
                .condition_expression("version = :version")
                .expression_attribute_values(":version", number(version)),
        };
        let first = self
            .delete_action(Key::stock(id, 0))
            .condition_expression("spread = :spread")
            .expression_attribute_values(":spread", number(spread));
        let others = (1..spread).map(|item| self.delete_action(Key::stock(id, item)));
        let actions = [product, first]
            .into_iter()
            .chain(others)
            .map(|delete| Ok(TransactWriteItem::builder().delete(delete.build()?).build()));
        let actions = actions.collect::<Result<Vec<_>>>()?;
        Ok(match transaction::write(&self.table, actions).await? {
            Outcome::Written => Some(()),
            Outcome::Cancelled(mut failed) => match failed.remove(&PRODUCT) {
                Some(found) => return Err(refusal(found)),
                // Its stock was spread meanwhile.
                None => None,
            },
        })
    }

    fn delete_action(&self, key: Key) -> aws_sdk_dynamodb::types::builders::DeleteBuilder {
        Delete::builder()
            .table_name(&self.table.name)
            .set_key(Some(key.into()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}
