//! Reads the table, strongly consistent and no faster than allowed.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{ConsumedCapacity, KeysAndAttributes, ReturnConsumedCapacity};
use storefront_core::schema::Item;
use tokio::time::sleep;

use super::item::ItemKey;
use crate::Error;
use crate::load::batch::{Refusal, pauses, refusal};
use crate::load::display::Spent;
use crate::load::pace::Pace;
use crate::load::table::{Target, consumed, table_error};

/// DynamoDB's limit of keys per batch.
pub(super) const BATCH: usize = 100;

/// The most batches in flight.
const AT_ONCE: usize = 32;

/// The most items in a page of a scan.
const PAGE: u32 = 1_000;

/// The items that were found, by key.
pub(super) type Found = HashMap<ItemKey, Item>;

/// A table, for reading.
#[derive(Debug)]
pub(super) struct Reads {
    /// Without the SDK's retries, which would hide throttles.
    client: Client,
    table: String,
    pace: Pace,
    /// The most items in a page.
    page: u32,
    units: Mutex<f64>,
}

/// A page of a segment of the table.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) items: Vec<Item>,
    /// The item after which the next page begins; `None` if this is the last.
    pub(super) last: Option<Item>,
}

impl Reads {
    pub(super) fn new(target: &Target, max_rcu: Option<NonZeroU32>) -> Self {
        let max_rcu = max_rcu.map_or(u32::MAX, NonZeroU32::get);
        Self {
            client: target.client.clone(),
            table: target.name.clone(),
            pace: Pace::new(max_rcu, AT_ONCE),
            // With items of 1 KB, a quarter of what may be read in a second, but not next to
            // nothing.
            page: max_rcu.clamp(PAGE / 40, PAGE),
            units: Mutex::new(0.0),
        }
    }

    /// Waits until another batch may begin, and counts it as in flight.
    pub(super) async fn begin(&self) {
        self.pace.begin().await;
    }

    /// Notes that a batch has ended.
    pub(super) fn end(&self) {
        self.pace.end();
    }

    /// Returns what was consumed by now.
    pub(super) fn spent(&self) -> Spent {
        let units = *self.units.lock().unwrap_or_else(PoisonError::into_inner);
        Spent { units, of: "RCU", at_once: self.pace.window() }
    }

    /// Returns those of the items that exist. Takes at most [`BATCH`] keys, without duplicates.
    pub(super) async fn get(&self, keys: Vec<Item>) -> Result<Found, Error> {
        let mut found = Found::with_capacity(keys.len());
        let mut left = keys;
        let mut between = pauses();
        while !left.is_empty() {
            let count = left.len();
            let request = KeysAndAttributes::builder()
                .set_keys(Some(left))
                .consistent_read(true)
                .build()
                .map_err(table_error("read"))?;
            let request = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            // If no item is larger than 4 KB.
            let expected = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            let answer = self.answer(expected, || request.clone().send()).await?;
            self.consumed(expected, answer.consumed_capacity());
            let items = answer.responses.and_then(|mut all| all.remove(&self.table));
            found.extend(items.into_iter().flatten().map(|item| (ItemKey::of(&item), item)));
            let unprocessed = answer.unprocessed_keys.and_then(|mut all| all.remove(&self.table));
            left = unprocessed.map(|unprocessed| unprocessed.keys).unwrap_or_default();
            if left.is_empty() {
                self.pace.went_well();
                break;
            }
            self.pace.throttled();
            if left.len() < count {
                between = pauses();
            }
            match between.next() {
                Some(pause) => sleep(pause).await,
                None => return Err(Error::Unread { items: left.len() }),
            }
        }
        Ok(found)
    }

    /// Reads a page of a segment: the first, or the one after an item.
    pub(super) async fn scan(
        &self,
        segment: i32,
        segments: i32,
        after: Option<Item>,
    ) -> Result<Page, Error> {
        let request = self
            .client
            .scan()
            .table_name(&self.table)
            .segment(segment)
            .total_segments(segments)
            .set_exclusive_start_key(after)
            .limit(i32::try_from(self.page).unwrap_or(i32::MAX))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let expected = f64::from(self.page) / 4.0;
        let answer = self.answer(expected, || request.clone().send()).await?;
        self.consumed(expected, answer.consumed_capacity.as_slice());
        let last = answer.last_evaluated_key.filter(|key| !key.is_empty());
        Ok(Page { items: answer.items.unwrap_or_default(), last })
    }

    /// Returns a query of the table.
    pub(super) fn query(&self) -> QueryFluentBuilder {
        let total = ReturnConsumedCapacity::Total;
        self.client.query().table_name(&self.table).return_consumed_capacity(total)
    }

    /// Sends a request until it succeeds, or fails in a way that another try would not change.
    pub(super) async fn answer<T, E, F>(
        &self,
        expected: f64,
        send: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, SdkError<E>>>,
        aws_sdk_dynamodb::Error: From<SdkError<E>>,
        SdkError<E>: ProvideErrorMetadata,
    {
        let mut pauses = pauses();
        loop {
            self.pace.take(expected).await;
            let error = match send().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            self.pace.correct(-expected);
            let error = match refusal("read", error) {
                Refusal::Throttled(error) => {
                    self.pace.throttled();
                    error
                }
                Refusal::Passing(error) => error,
                Refusal::Final(error) => return Err(error),
            };
            match pauses.next() {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
    }

    /// Counts what a request consumed: the expected units, if the response does not say.
    pub(super) fn consumed(&self, expected: f64, found: &[ConsumedCapacity]) {
        let units = consumed(found).unwrap_or(expected);
        self.pace.correct(units - expected);
        *self.units.lock().unwrap_or_else(PoisonError::into_inner) += units;
    }
}
