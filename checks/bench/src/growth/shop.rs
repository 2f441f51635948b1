//! A shop with its repositories.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use storefront_cloud::TABLE_NAME;
use storefront_core::schema::{Item, Key};
use storefront_core::{
    Email, IdempotencyKey, LoginAttempts, OrderWithItems, Orders, Products, Source, Table, UserId,
    Users, aws,
};

use super::data::Data;
use crate::Error;

/// The data of a shop, and the repositories over its table.
pub(crate) struct Shop {
    pub(crate) data: Data,
    pub(crate) users: Users,
    pub(crate) login_attempts: LoginAttempts,
    pub(crate) products: Products,
    pub(crate) orders: Orders,
    pub(crate) client: Client,
}

impl Shop {
    pub(crate) fn over(data: Data, endpoint_url: &str) -> Self {
        let endpoint_url = Some(endpoint_url.to_owned());
        let client = aws::dynamodb(&aws::patient_emulator_config(), endpoint_url);
        let table = Table::new(client.clone(), TABLE_NAME);
        Self {
            data,
            users: Users::new(table.clone()),
            login_attempts: LoginAttempts::new(table.clone()),
            products: Products::new(table.clone()),
            orders: Orders::new(table),
            client,
        }
    }

    /// Deletes an order from the table, which the shop itself never does, so that the table keeps
    /// its size.
    pub(crate) async fn remove(
        &self,
        order: &OrderWithItems,
        key: Option<&IdempotencyKey>,
    ) -> Result<(), Error> {
        let OrderWithItems { order, items } = order;
        let keys = items.iter().map(|item| Key::order_item(order.id, item.product_id));
        let keys = keys
            .chain([Key::order(order.user_id, order.id)])
            .chain(key.map(|key| Key::idempotency(order.user_id, key)));
        self.delete(keys).await
    }

    /// Deletes the record of an idempotency key.
    pub(crate) async fn forget(&self, user: UserId, key: &IdempotencyKey) -> Result<(), Error> {
        self.delete([Key::idempotency(user, key)].into_iter()).await
    }

    /// Forgets what is left of a log-in: that the email knows the source, and its count.
    pub(crate) async fn forget_source(&self, email: &Email, source: &Source) -> Result<(), Error> {
        let keys = [Key::known_source(email, 0, source), Key::email_attempts(email, 0)];
        self.delete(keys.into_iter()).await
    }

    async fn delete(&self, keys: impl Iterator<Item = Key>) -> Result<(), Error> {
        let deletes = keys.map(|key| {
            let delete = DeleteRequest::builder().set_key(Some(Item::from(key))).build();
            Ok(WriteRequest::builder().delete_request(delete.map_err(Error::shop)?).build())
        });
        write(&self.client, deletes.collect::<Result<_, Error>>()?).await
    }
}

/// Writes a batch, and retries unprocessed items until none are left.
async fn write(client: &Client, mut writes: Vec<WriteRequest>) -> Result<(), Error> {
    while !writes.is_empty() {
        let answer = client.batch_write_item().request_items(TABLE_NAME, writes).send().await;
        let left = answer.map_err(Error::shop)?.unprocessed_items;
        writes = left.and_then(|mut left| left.remove(TABLE_NAME)).unwrap_or_default();
    }
    Ok(())
}
