//! Fills a table with what the repositories would have written.
//!
//! By the embedded store's import, which writes thousands of items in a transaction of `SQLite`, their
//! copies in the index and their stream records included. `BatchWriteItem`, as one would fill `DynamoDB`,
//! takes the store a transaction for each item.

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use dynoxide::{Database, ImportOptions};
use serde::Serialize;
use storefront_cloud::TABLE_NAME;
use storefront_core::schema::Item;
use tokio::task::JoinSet;

use super::data::Data;
use super::store::Store;
use crate::Error;

/// How many batches are under way at once: the next ones are made while the store writes.
const IN_FLIGHT: usize = 4;

/// How many items are imported at once.
const IMPORT: usize = 2_000;

/// How many times the rate is looked at, unless that is too often to see one.
const PARTS: u32 = 40;
const ORDERS_OF_A_PART: u32 = 500;

/// How a table grew.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Growth {
    pub(crate) items: u32,
    pub(crate) seconds: f64,
    /// Over equal parts of the orders; before them, users and products were written.
    pub(crate) rates: Vec<Rate>,
}

/// How fast a table grew.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rate {
    /// How many items were in it at the end.
    pub(crate) items: u32,
    pub(crate) items_per_second: f64,
}

/// Writes users, products and orders, the oldest first.
pub(crate) async fn fill(
    store: &Store,
    data: Data,
    progress: impl Fn(u32, Rate),
) -> Result<Growth, Error> {
    let start = Instant::now();
    let mut writer = Writer::new(store.database());
    store.database().enable_bulk_loading().map_err(Error::shop)?;
    for n in 0..data.users {
        writer.put(data.user(n).to_items()?).await?;
    }
    for n in 0..data.products {
        writer.put([data.product(n).to_item()?]).await?;
    }
    writer.flush().await?;
    let mut rates = Vec::new();
    let mut since = (writer.items, Instant::now());
    for n in 0..data.orders {
        writer.put(data.order(n).to_items()?).await?;
        if is_end_of_part(data, n) {
            writer.flush().await?;
            let rate = Rate {
                items: writer.items,
                items_per_second: f64::from(writer.items - since.0)
                    / since.1.elapsed().as_secs_f64(),
            };
            progress(n + 1, rate);
            rates.push(rate);
            since = (writer.items, Instant::now());
        }
    }
    // Back to what `Storage::File` had.
    store.database().disable_bulk_loading().map_err(Error::shop)?;
    Ok(Growth { items: writer.items, seconds: start.elapsed().as_secs_f64(), rates })
}

fn is_end_of_part(data: Data, n: u32) -> bool {
    (n + 1).is_multiple_of((data.orders / PARTS).max(ORDERS_OF_A_PART)) || n + 1 == data.orders
}

/// Collects items into batches, and has some under way.
struct Writer<'a> {
    database: &'a Database,
    batch: Vec<Item>,
    under_way: JoinSet<Result<(), Error>>,
    items: u32,
}

impl<'a> Writer<'a> {
    fn new(database: &'a Database) -> Self {
        Self { database, batch: Vec::new(), under_way: JoinSet::new(), items: 0 }
    }

    async fn put(&mut self, items: impl IntoIterator<Item = Item>) -> Result<(), Error> {
        for item in items {
            self.batch.push(item);
            self.items += 1;
            if self.batch.len() == IMPORT {
                self.send().await?;
            }
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Error> {
        if self.under_way.len() == IN_FLIGHT {
            self.next().await?;
        }
        let batch = std::mem::take(&mut self.batch);
        let database = self.database.clone();
        self.under_way.spawn_blocking(move || import(&database, batch));
        Ok(())
    }

    /// Waits until all is written.
    async fn flush(&mut self) -> Result<(), Error> {
        self.send().await?;
        while !self.under_way.is_empty() {
            self.next().await?;
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<(), Error> {
        match self.under_way.join_next().await {
            Some(written) => written.map_err(Error::shop)?,
            None => Ok(()),
        }
    }
}

/// Leaves what requests would have left, in the stream as well.
fn import(database: &Database, items: Vec<Item>) -> Result<(), Error> {
    let items = items.into_iter().map(|item| item.into_iter().map(attribute).collect());
    let items = items.collect::<Result<_, Error>>()?;
    let options = ImportOptions { record_streams: true, ..ImportOptions::default() };
    database.import_items(TABLE_NAME, items, options).map_err(Error::shop)?;
    Ok(())
}

/// The shop's entities have no others.
fn attribute(
    (name, value): (String, AttributeValue),
) -> Result<(String, dynoxide::AttributeValue), Error> {
    let value = match value {
        AttributeValue::S(text) => dynoxide::AttributeValue::S(text),
        AttributeValue::N(number) => dynoxide::AttributeValue::N(number),
        other => return Err(Error::shop(format!("{name} cannot be imported: {other:?}"))),
    };
    Ok((name, value))
}
