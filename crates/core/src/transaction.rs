//! `TransactWriteItems`, and what a cancelled transaction says about each of its actions.
//!
//! Every write of a user, product or order goes through here, even of a single item, because only a
//! transaction carries a token. With it, DynamoDB can tell a retry after a lost answer from a
//! second request. An `UpdateItem` that the SDK retries increments a version twice, and a retried
//! `DeleteItem` does not find what it has deleted. Log-in attempts do not need a token: adding an
//! id to a set twice adds it once.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use uuid::Uuid;

use crate::schema::Item;
use crate::{Error, Result, Table, retry};

/// The outcome of a transaction that DynamoDB decided.
pub(crate) enum Outcome {
    /// All of it was written.
    Written,
    /// None of it was written, because the conditions of these actions failed.
    Cancelled(FailedConditions),
}

/// By the action's position in the transaction: the item that failed its condition, if the action
/// asked for it and it exists.
pub(crate) type FailedConditions = BTreeMap<usize, Option<Item>>;

/// Writes all of `actions` or none.
///
/// Retries conflicts with other transactions and throttled actions. The caller interprets failed
/// conditions. They outrank conflicts in the same transaction, because they are already a decision.
pub(crate) async fn write(table: &Table, actions: Vec<TransactWriteItem>) -> Result<Outcome> {
    // One token for all tries, so that a try whose answer was lost is not applied twice.
    let token = Uuid::now_v7().to_string();
    retry::on(is_retryable, || async {
        match write_once(table, &actions, &token).await? {
            Attempt::Decided(outcome) => Ok(outcome),
            Attempt::Conflict(_) => Err(Error::Contention),
        }
    })
    .await
}

/// The outcome of one try of a transaction.
pub(crate) enum Attempt {
    /// DynamoDB decided it.
    Decided(Outcome),
    /// Nothing was written: these actions conflicted with other transactions, or were throttled.
    Conflict(Vec<usize>),
}

/// Tries once to write all of `actions` or none, for a caller that answers a conflict with other
/// actions.
pub(crate) async fn attempt(table: &Table, actions: Vec<TransactWriteItem>) -> Result<Attempt> {
    let token = Uuid::now_v7().to_string();
    retry::on(is_in_progress, || write_once(table, &actions, &token)).await
}

fn is_retryable(error: &Error) -> bool {
    matches!(error, Error::Contention) || is_in_progress(error)
}

/// Whether the first try is still in progress, maybe for longer than the SDK retries.
fn is_in_progress(error: &Error) -> bool {
    let Error::Unavailable(cause) = error else { return false };
    cause
        .downcast_ref::<SdkError<TransactWriteItemsError>>()
        .and_then(SdkError::as_service_error)
        .is_some_and(TransactWriteItemsError::is_transaction_in_progress_exception)
}

/// The outcome of the write of one item.
pub(crate) enum Written {
    Done,
    /// The condition failed for the current item, or the item does not exist.
    Refused(Option<Item>),
}

/// Writes one item, with an action that returns the item if its condition fails.
pub(crate) async fn write_one(table: &Table, action: TransactWriteItem) -> Result<Written> {
    Ok(match write(table, vec![action]).await? {
        Outcome::Written => Written::Done,
        Outcome::Cancelled(mut failed) => Written::Refused(failed.remove(&0).flatten()),
    })
}

async fn write_once(table: &Table, actions: &[TransactWriteItem], token: &str) -> Result<Attempt> {
    let answer = table
        .client
        .transact_write_items()
        .set_transact_items(Some(actions.to_vec()))
        .client_request_token(token)
        .send()
        .await;
    match answer {
        Ok(_) => Ok(Attempt::Decided(Outcome::Written)),
        Err(error) => why_cancelled(&error).ok_or_else(|| error.into()),
    }
}

/// Interprets the reasons of a cancelled transaction; `None` if it was not cancelled, or for a reason
/// that is an error.
fn why_cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<Attempt> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return None;
    };
    let reasons = cancelled.cancellation_reasons();
    let with = |is: fn(&CancellationReason) -> bool| {
        reasons.iter().enumerate().filter(move |(_, reason)| is(reason))
    };
    let failed: FailedConditions = with(|reason| reason.code() == Some("ConditionalCheckFailed"))
        .map(|(action, reason)| (action, reason.item.clone()))
        .collect();
    if !failed.is_empty() {
        return Some(Attempt::Decided(Outcome::Cancelled(failed)));
    }
    let conflicts: Vec<_> = with(is_conflict).map(|(action, _)| action).collect();
    let others = with(|reason| !is_conflict(reason) && !is_none(reason)).count();
    (others == 0 && !reasons.is_empty()).then_some(Attempt::Conflict(conflicts))
}

/// Whether the action itself could have been done.
fn is_none(reason: &CancellationReason) -> bool {
    matches!(reason.code(), None | Some("None"))
}

fn is_conflict(reason: &CancellationReason) -> bool {
    matches!(
        reason.code(),
        Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded")
    )
}
