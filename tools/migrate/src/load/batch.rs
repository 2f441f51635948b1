//! Writes one batch, and retries until all of it is written.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{PutRequest, ReturnConsumedCapacity, WriteRequest};
use backon::{BackoffBuilder as _, ExponentialBuilder};
use storefront_core::schema::Item;
use tokio::time::sleep;

use super::pace::Pace;
use super::table;
use crate::{Error, size};

/// DynamoDB's limit of writes per batch. Its limit of 16 MB then always holds, because an item has
/// at most 400 KB.
pub(super) const BATCH: usize = 25;

/// How many tries in a row may write nothing at all before the batch is given up: some minutes.
const MAX_TRIES: usize = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Returns the pauses between tries, with jitter.
pub(crate) fn pauses() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(MAX_TRIES - 1)
        .with_jitter()
        .build()
}

/// Why a request failed.
pub(crate) enum Refusal {
    /// There was not enough capacity at the moment.
    Throttled(Error),
    /// A temporary failure.
    Passing(Error),
    /// Another try would fail as well.
    Final(Error),
}

/// Classifies a failed request.
pub(crate) fn refusal<E>(doing: &'static str, error: SdkError<E>) -> Refusal
where
    aws_sdk_dynamodb::Error: From<SdkError<E>>,
    SdkError<E>: ProvideErrorMetadata,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    let is_unanswered = matches!(
        error,
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_)
    );
    let error = Error::Table { doing, source: Box::new(error.into()) };
    match code.as_str() {
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded" => Refusal::Throttled(error),
        _ if is_unanswered || status.is_some_and(|status| status >= 500) => Refusal::Passing(error),
        _ => Refusal::Final(error),
    }
}

/// Puts the items, over existing ones. Returns how many units that consumed.
pub(super) async fn put(
    client: &Client,
    table: &str,
    items: Vec<Item>,
    pace: &Pace,
) -> Result<f64, Error> {
    let mut left = items.into_iter().map(put_request).collect::<Result<Vec<_>, _>>()?;
    let mut consumed = 0.0;
    let mut pauses: Box<dyn Iterator<Item = Duration> + Send> = Box::new(pauses());
    while !left.is_empty() {
        let count = left.len();
        let expected = units(&left);
        pace.take(expected).await;
        let answer = client
            .batch_write_item()
            .request_items(table, left.clone())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                let found = table::consumed(answer.consumed_capacity());
                let unprocessed = answer.unprocessed_items.and_then(|mut all| all.remove(table));
                left = unprocessed.unwrap_or_default();
                let expected = expected - units(&left);
                let found = found.unwrap_or(expected);
                pace.correct(found - expected - units(&left));
                consumed += found;
                if left.is_empty() {
                    pace.went_well();
                    return Ok(consumed);
                }
                pace.throttled();
                Error::Unprocessed { items: left.len() }
            }
            Err(error) => {
                pace.correct(-expected);
                match refusal("write", error) {
                    Refusal::Throttled(error) => {
                        pace.throttled();
                        error
                    }
                    Refusal::Passing(error) => error,
                    Refusal::Final(error) => return Err(error),
                }
            }
        };
        if left.len() < count {
            pauses = Box::new(self::pauses());
        }
        match pauses.next() {
            Some(pause) => sleep(pause).await,
            None => return Err(error),
        }
    }
    Ok(consumed)
}

fn put_request(item: Item) -> Result<WriteRequest, Error> {
    let put = PutRequest::builder().set_item(Some(item)).build();
    let put =
        put.map_err(|error| Error::Table { doing: "write", source: Box::new(error.into()) })?;
    Ok(WriteRequest::builder().put_request(put).build())
}

fn units(writes: &[WriteRequest]) -> f64 {
    let puts = writes.iter().filter_map(|write| write.put_request.as_ref());
    puts.map(|put| f64::from(size::put_units(&put.item))).sum()
}
