//! `TransactWriteItems`, and what a cancelled transaction says of each of its actions.
//!
//! All users, products and orders are written here, also one by itself: only a transaction carries a
//! token, by which DynamoDB tells a try whose answer was lost from a second request. An
//! `UpdateItem` that the SDK tries again counts a version twice, and a `DeleteItem` does not find what
//! it deleted. The attempts to log in can do without: a set of ids takes the same twice.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use uuid::Uuid;

use crate::schema::Item;
use crate::{Error, Result, Table, retry};

/// How a transaction ended that DynamoDB decided.
pub(crate) enum Outcome {
    /// All of it was written.
    Written,
    /// None of it was written: these actions' conditions did not hold.
    Cancelled(FailedConditions),
}

/// By the action's position in the transaction: the item that failed its condition, where the
/// action asked for it and there was one.
pub(crate) type FailedConditions = BTreeMap<usize, Option<Item>>;

/// Writes all of `actions` or none.
///
/// Conflicts with other transactions and throttled actions are tried again. A failed condition is
/// the caller's to interpret, and outranks a conflict beside it: it is a decision already.
pub(crate) async fn write(table: &Table, actions: Vec<TransactWriteItem>) -> Result<Outcome> {
    // One token for all tries, so that a try whose answer was lost is not applied a second time.
    let token = Uuid::now_v7().to_string();
    retry::on(may_pass, || write_once(table, &actions, &token)).await
}

/// A conflict, or that the first try is still under way: longer than the SDK goes on, maybe.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Contention => true,
        Error::Unavailable(cause) => cause
            .downcast_ref::<SdkError<TransactWriteItemsError>>()
            .and_then(SdkError::as_service_error)
            .is_some_and(TransactWriteItemsError::is_transaction_in_progress_exception),
        _ => false,
    }
}

/// What became of the write of one item.
pub(crate) enum Written {
    Done,
    /// The condition did not hold for the item as it is, or there is none.
    Refused(Option<Item>),
}

/// Writes one item, with an action that gives the item back when its condition fails.
pub(crate) async fn write_one(table: &Table, action: TransactWriteItem) -> Result<Written> {
    Ok(match write(table, vec![action]).await? {
        Outcome::Written => Written::Done,
        Outcome::Cancelled(mut failed) => Written::Refused(failed.remove(&0).flatten()),
    })
}

async fn write_once(table: &Table, actions: &[TransactWriteItem], token: &str) -> Result<Outcome> {
    let answer = table
        .client
        .transact_write_items()
        .set_transact_items(Some(actions.to_vec()))
        .client_request_token(token)
        .send()
        .await;
    match answer {
        Ok(_) => Ok(Outcome::Written),
        Err(error) => match failed_conditions(&error)? {
            Some(failed) => Ok(Outcome::Cancelled(failed)),
            None => Err(error.into()),
        },
    }
}

/// The failed conditions of a cancelled transaction; `None` when it was not cancelled, or for a
/// reason that is an error.
fn failed_conditions(
    error: &SdkError<TransactWriteItemsError>,
) -> Result<Option<FailedConditions>> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return Ok(None);
    };
    let reasons = cancelled.cancellation_reasons();
    let failed: FailedConditions = reasons
        .iter()
        .enumerate()
        .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
        .map(|(action, reason)| (action, reason.item.clone()))
        .collect();
    if !failed.is_empty() {
        return Ok(Some(failed));
    }
    if !reasons.is_empty() && reasons.iter().all(may_be_tried_again) {
        return Err(Error::Contention);
    }
    Ok(None)
}

fn may_be_tried_again(reason: &CancellationReason) -> bool {
    matches!(
        reason.code(),
        None | Some(
            "None" | "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
        )
    )
}
