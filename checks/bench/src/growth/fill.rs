//! Fills a table with what the repositories would have written.
//!
//! It uses the import of the embedded store, which writes thousands of items in one `SQLite`
//! transaction, including their copies in the index and their stream records. With
//! `BatchWriteItem`, the usual way to fill `DynamoDB`, the store needs a transaction for each item.

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

/// How many batches are in flight: the next ones are generated while the store writes.
const IN_FLIGHT: usize = 4;

/// The number of items per import.
const IMPORT: usize = 2_000;

/// The number of parts in which the rate is measured. Small tables have fewer, because a part needs
/// some orders for a meaningful rate.
const PARTS: u32 = 40;
const MIN_PART_ORDERS: u32 = 500;

/// How a table grew.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Growth {
    pub(crate) items: u32,
    pub(crate) seconds: f64,
    /// Over equal parts of the orders. Users and products were written before them.
    pub(crate) rates: Vec<Rate>,
}

/// How fast a table grew.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rate {
    /// The number of items in the table at the end.
    pub(crate) items: u32,
    pub(crate) items_per_second: f64,
}

/// Writes users, products and orders, oldest first.
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
        writer.put(data.product(n).to_items()?).await?;
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
    // Restores the settings of `Storage::File`.
    store.database().disable_bulk_loading().map_err(Error::shop)?;
    Ok(Growth { items: writer.items, seconds: start.elapsed().as_secs_f64(), rates })
}

fn is_end_of_part(data: Data, n: u32) -> bool {
    (n + 1).is_multiple_of((data.orders / PARTS).max(MIN_PART_ORDERS)) || n + 1 == data.orders
}

/// Collects items into batches, and writes several batches concurrently.
struct Writer<'a> {
    database: &'a Database,
    batch: Vec<Item>,
    in_flight: JoinSet<Result<(), Error>>,
    items: u32,
}

impl<'a> Writer<'a> {
    fn new(database: &'a Database) -> Self {
        Self { database, batch: Vec::new(), in_flight: JoinSet::new(), items: 0 }
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
        if self.in_flight.len() == IN_FLIGHT {
            self.next().await?;
        }
        let batch = std::mem::take(&mut self.batch);
        let database = self.database.clone();
        self.in_flight.spawn_blocking(move || import(&database, batch));
        Ok(())
    }

    /// Waits until everything is written.
    async fn flush(&mut self) -> Result<(), Error> {
        self.send().await?;
        while !self.in_flight.is_empty() {
            self.next().await?;
        }
        Ok(())
    }

    async fn next(&mut self) -> Result<(), Error> {
        match self.in_flight.join_next().await {
            Some(written) => written.map_err(Error::shop)?,
            None => Ok(()),
        }
    }
}

/// Imports items with the same effect as requests, including the stream records.
fn import(database: &Database, items: Vec<Item>) -> Result<(), Error> {
    let items = items.into_iter().map(|item| item.into_iter().map(attribute).collect());
    let items = items.collect::<Result<_, Error>>()?;
    let options = ImportOptions { record_streams: true, ..ImportOptions::default() };
    database.import_items(TABLE_NAME, items, options).map_err(Error::shop)?;
    Ok(())
}

/// Converts an attribute. The shop's entities have only these types.
fn attribute(
    (name, value): (String, AttributeValue),
) -> Result<(String, dynoxide::AttributeValue), Error> {
    let value = match value {
        AttributeValue::S(text) => dynoxide::AttributeValue::S(text),
        AttributeValue::N(number) => dynoxide::AttributeValue::N(number),
        AttributeValue::Bool(flag) => dynoxide::AttributeValue::BOOL(flag),
        other => return Err(Error::shop(format!("{name} cannot be imported: {other:?}"))),
    };
    Ok((name, value))
}
