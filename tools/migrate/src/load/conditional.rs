//! Conditional writes, which keep what others have written since.

mod product;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, Delete, Put, ReturnConsumedCapacity,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use storefront_core::schema::{Item, PK, SK};
use tokio::time::sleep;

use super::batch::{self, Refusal};
use super::pace::Pace;
use super::table::{self, Target, table_error};
use crate::{Error, Reason, size};

/// The shop has not changed a loaded item: it has version 1 until then.
const UNCHANGED: &str = "version = :first AND updatedAt <= :updatedAt";

/// The table while the shop is in use.
#[derive(Debug)]
pub(super) struct Table {
    client: Client,
    reads: Client,
    name: String,
    pace: Pace,
    units: Mutex<f64>,
}

/// Why something was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The item in the table is newer, or the shop has changed it.
    Kept { version: String, updated_at: String },
    /// The shop has changed the product's stock.
    KeptStock { loaded: String, now: String },
    /// Another user has the email.
    EmailTaken { user_id: String },
    /// It is larger than an item can be.
    TooLarge { bytes: u64 },
}

/// The action whose condition failed, and the item on which it failed.
struct Failed {
    place: usize,
    item: Item,
}

impl Table {
    pub(super) fn new(target: Target, pace: Pace) -> Self {
        let Target { client, reads, name, .. } = target;
        Self { client, reads, name, pace, units: Mutex::new(0.0) }
    }

    /// Returns how many write capacity units were consumed.
    pub(super) fn units(&self) -> f64 {
        *self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the first item if the shop has not changed it. Along with it, puts the other items and
    /// deletes those that are gone.
    pub(super) async fn put(
        &self,
        items: Vec<Item>,
        gone: Vec<Item>,
    ) -> Result<Option<Refused>, Error> {
        let mut actions = Vec::with_capacity(items.len() + gone.len());
        let mut units = 0;
        for (place, item) in items.into_iter().enumerate() {
            // A transaction consumes twice as many.
            units += 2 * size::put_units(&item);
            let put = if place == 0 { self.put_unless_changed(item) } else { self.any_put(item) };
            actions.push(put?);
        }
        for key in gone {
            units += 2;
            let delete = Delete::builder().table_name(&self.name).set_key(Some(key)).build();
            let delete = delete.map_err(table_error("write"))?;
            actions.push(TransactWriteItem::builder().delete(delete).build());
        }
        let failed = self.write(actions, units).await?;
        Ok(failed.map(|failed| kept(&failed.item)))
    }

    /// Puts an order with its items, and deletes the items that it no longer has.
    pub(super) async fn put_order(&self, items: Vec<Item>) -> Result<Option<Refused>, Error> {
        // The partition of the items, which belongs to this order only.
        let partition = items.get(1).and_then(|item| item.get(PK)).cloned();
        let mut gone = Vec::new();
        if let Some(partition) = partition {
            // An order of the shop has at most 48 items, so they always fit into a page.
            let there = self
                .reads
                .query()
                .table_name(&self.name)
                .key_condition_expression("PK = :order")
                .expression_attribute_values(":order", partition)
                .projection_expression("PK, SK")
                .consistent_read(true)
                .send()
                .await
                .map_err(table_error("read"))?;
            gone.extend(there.items.unwrap_or_default());
            gone.retain(|key| !items.iter().any(|item| is_same(item, key)));
        }
        self.put(items, gone).await
    }

    /// Puts a user and the guard of their email, if the email is free. Deletes the guard of the
    /// email that the user had before.
    pub(super) async fn put_user(&self, items: Vec<Item>) -> Result<Option<Refused>, Error> {
        const GUARD: usize = 1;
        let Ok([user, guard]) = <[Item; 2]>::try_from(items) else { return Ok(None) };
        let id = text(&user, "id");
        let answer = self
            .reads
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key(&user)))
            .consistent_read(true)
            .send()
            .await
            .map_err(table_error("read"))?;
        // A guard's key is made of the email in the same way as the user's key in the index.
        let before = answer.item.as_ref().and_then(|item| item.get("GSI1PK")).cloned();
        let mut units = 2 * (size::put_units(&user) + size::put_units(&guard));
        let guard_before = before.filter(|before| Some(before) != guard.get(PK)).map(|partition| {
            let mut guard = key(&guard);
            guard.insert(PK.to_owned(), partition);
            guard
        });
        let mut actions = vec![self.put_unless_changed(user)?, self.put_own(guard, &id)?];
        if let Some(guard) = guard_before {
            units += 2;
            // If somebody else has taken the email meanwhile, its guard is theirs and stays.
            if self.is_owned(&guard, &id).await? {
                actions.push(self.delete_own(guard, &id)?);
            }
        }
        let failed = self.write(actions, units).await?;
        Ok(failed.map(|failed| match failed.place {
            GUARD => Refused::EmailTaken { user_id: text(&failed.item, "userId") },
            _ => kept(&failed.item),
        }))
    }

    async fn is_owned(&self, guard: &Item, user_id: &str) -> Result<bool, Error> {
        let answer = self
            .reads
            .get_item()
            .table_name(&self.name)
            .set_key(Some(guard.clone()))
            .consistent_read(true)
            .send()
            .await
            .map_err(table_error("read"))?;
        Ok(answer.item.is_some_and(|guard| text(&guard, "userId") == user_id))
    }

    fn put_unless_changed(&self, item: Item) -> Result<TransactWriteItem, Error> {
        let updated_at = AttributeValue::S(text(&item, "updatedAt"));
        let first = AttributeValue::N("1".to_owned());
        let values = HashMap::from([(":first", first), (":updatedAt", updated_at)]);
        self.put_if(item, &format!("attribute_not_exists(PK) OR ({UNCHANGED})"), &[], values)
    }

    fn put_own(&self, guard: Item, user_id: &str) -> Result<TransactWriteItem, Error> {
        let values = HashMap::from([(":user", AttributeValue::S(user_id.to_owned()))]);
        self.put_if(guard, "attribute_not_exists(PK) OR userId = :user", &[], values)
    }

    /// Puts an item on a condition. If it fails, the transaction returns the item in the table.
    fn put_if(
        &self,
        item: Item,
        condition: &str,
        names: &[(&str, &str)],
        values: HashMap<&str, AttributeValue>,
    ) -> Result<TransactWriteItem, Error> {
        let mut put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        for (placeholder, name) in names {
            put = put.expression_attribute_names(*placeholder, *name);
        }
        for (placeholder, value) in values {
            put = put.expression_attribute_values(placeholder, value);
        }
        let put = put.build().map_err(table_error("write"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn any_put(&self, item: Item) -> Result<TransactWriteItem, Error> {
        let put = Put::builder().table_name(&self.name).set_item(Some(item)).build();
        let put = put.map_err(table_error("write"))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn delete_own(&self, guard: Item, user_id: &str) -> Result<TransactWriteItem, Error> {
        let delete = Delete::builder()
            .table_name(&self.name)
            .set_key(Some(guard))
            .condition_expression("userId = :user")
            .expression_attribute_values(":user", AttributeValue::S(user_id.to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let delete = delete.build().map_err(table_error("write"))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Runs a transaction. Returns the condition that failed, if any.
    async fn write(
        &self,
        actions: Vec<TransactWriteItem>,
        units: u32,
    ) -> Result<Option<Failed>, Error> {
        let units = f64::from(units);
        let mut pauses = batch::pauses();
        loop {
            self.pace.take(units).await;
            let answer = self
                .client
                .transact_write_items()
                .set_transact_items(Some(actions.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await;
            let error = match answer {
                Ok(answer) => {
                    let found = table::consumed(answer.consumed_capacity()).unwrap_or(units);
                    self.pace.correct(found - units);
                    *self.units.lock().unwrap_or_else(PoisonError::into_inner) += found;
                    return Ok(None);
                }
                Err(error) => error,
            };
            let error = match cancelled(&error) {
                Some(reasons) => match failed(reasons) {
                    Some(failed) => return Ok(Some(failed)),
                    None if passes(reasons) => Error::Conflict,
                    None => return Err(table_error("write")(error)),
                },
                None => match batch::refusal("write", error) {
                    Refusal::Throttled(error) | Refusal::Passing(error) => error,
                    Refusal::Final(error) => return Err(error),
                },
            };
            match pauses.next() {
                Some(pause) => sleep(pause).await,
                None => return Err(error),
            }
        }
    }
}

fn cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Some(cancelled.cancellation_reasons())
        }
        _ => None,
    }
}

/// Returns the first condition that failed.
fn failed(reasons: &[CancellationReason]) -> Option<Failed> {
    let place =
        reasons.iter().position(|reason| reason.code() == Some("ConditionalCheckFailed"))?;
    Some(Failed { place, item: reasons[place].item.clone().unwrap_or_default() })
}

/// Whether only other writers or a lack of capacity were in the way.
fn passes(reasons: &[CancellationReason]) -> bool {
    const PASSES: [&str; 4] =
        ["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
    reasons.iter().all(|reason| reason.code().is_none_or(|code| PASSES.contains(&code)))
}

fn kept(item: &Item) -> Refused {
    let version = match item.get("version") {
        Some(AttributeValue::N(version)) => version.clone(),
        _ => String::new(),
    };
    Refused::Kept { version, updated_at: text(item, "updatedAt") }
}

fn key(item: &Item) -> Item {
    let attributes = [PK, SK].map(|name| (name, item.get(name).cloned()));
    attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn is_same(item: &Item, key: &Item) -> bool {
    [PK, SK].iter().all(|name| item.get(*name) == key.get(*name))
}

fn text(item: &Item, name: &str) -> String {
    match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    }
}

impl From<Refused> for Reason {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Kept { version, updated_at } => Self::Kept { version, updated_at },
            Refused::KeptStock { loaded, now } => Self::KeptStock { loaded, now },
            Refused::EmailTaken { user_id } => Self::EmailTaken { user_id },
            Refused::TooLarge { bytes } => Self::TooLarge { bytes },
        }
    }
}
