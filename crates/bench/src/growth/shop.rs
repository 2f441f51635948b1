//! A shop in a table of its own.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use dynoxide::Database;
use storefront_core::schema::{Item, Key};
use storefront_core::{
    IdempotencyKey, LoginAttempts, OrderWithItems, Orders, Products, Table, Users, aws,
};
use storefront_embedded::{EmbeddedDynamoDb, Storage};
use storefront_local::TABLE_NAME;
use storefront_template::TableDefinition;
use tokio::net::TcpListener;

use super::data::Data;
use crate::Error;

/// The most writes of a batch, which DynamoDB sets.
pub(crate) const BATCH: usize = 25;

/// A shop whose table is in a file.
pub(crate) struct Shop {
    pub(crate) data: Data,
    pub(crate) users: Users,
    pub(crate) login_attempts: LoginAttempts,
    pub(crate) products: Products,
    pub(crate) orders: Orders,
    pub(crate) client: Client,
    file: PathBuf,
    // Served until it is dropped.
    database: EmbeddedDynamoDb,
}

impl Shop {
    /// Opens it, without anything in it, in this folder.
    pub(crate) async fn open(
        data: Data,
        definition: &TableDefinition,
        folder: &Path,
    ) -> Result<Self, Error> {
        let file = folder.join(format!("{}.sqlite", data.orders));
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::services)?;
        let storage = Storage::File(file.clone());
        let database = EmbeddedDynamoDb::serve(&storage, listener, definition, TABLE_NAME);
        let database = database.map_err(Error::services)?;
        let endpoint_url = Some(database.endpoint_url().to_owned());
        let client = aws::dynamodb(&aws::patient_emulator_config(), endpoint_url);
        let table = Table::new(client.clone(), TABLE_NAME);
        Ok(Self {
            data,
            users: Users::new(table.clone()),
            login_attempts: LoginAttempts::new(table.clone()),
            products: Products::new(table.clone()),
            orders: Orders::new(table),
            client,
            file,
            database,
        })
    }

    /// The store itself, for what needs no requests.
    pub(crate) fn database(&self) -> &Database {
        self.database.database()
    }

    /// How large its files are.
    pub(crate) fn bytes(&self) -> u64 {
        let log = PathBuf::from(format!("{}-wal", self.file.display()));
        [self.file.as_path(), &log]
            .into_iter()
            .filter_map(|file| fs::metadata(file).ok())
            .map(|found| found.len())
            .sum()
    }

    /// Takes an order out of the table, which the shop itself never does, so that the table is as
    /// large as before.
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
        let deletes = keys.map(|key| {
            let delete = DeleteRequest::builder().set_key(Some(Item::from(key))).build();
            Ok(WriteRequest::builder().delete_request(delete.map_err(Error::shop)?).build())
        });
        write(&self.client, deletes.collect::<Result<_, Error>>()?).await
    }
}

/// Writes a batch, and what was left of it, until nothing is left.
pub(crate) async fn write(client: &Client, mut writes: Vec<WriteRequest>) -> Result<(), Error> {
    while !writes.is_empty() {
        let answer = client.batch_write_item().request_items(TABLE_NAME, writes).send().await;
        let left = answer.map_err(Error::shop)?.unprocessed_items;
        writes = left.and_then(|mut left| left.remove(TABLE_NAME)).unwrap_or_default();
    }
    Ok(())
}
