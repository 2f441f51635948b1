//! Delivers a batch: as a whole, in parts, or to the on-failure destination.

use std::ops::Range;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use storefront_template::StreamMapping;
use tokio::sync::watch;

use super::Pace;
use super::checkpoint::Checkpoint;
use super::failed_records::{Condition, FailedRecords, GivenUp};
use super::record::{Record, event};
use crate::function::{Function, FunctionError};

/// A clock.
pub(crate) type Now = Box<dyn Fn() -> Timestamp + Send + Sync>;

pub(crate) struct Delivery {
    pub(crate) mapping: StreamMapping,
    pub(crate) function: Function,
    pub(crate) failed_records: FailedRecords,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) pace: Pace,
    /// Tells how old records are.
    pub(crate) now: Now,
    pub(crate) stopped: watch::Receiver<bool>,
}

/// A part of a batch that has not been delivered yet.
struct Part {
    records: Range<usize>,
    retries: u32,
    invocations: u32,
    was_function_error: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Delivered,
    /// Everything before the record at this index was delivered.
    DeliveredBefore(usize),
    Failed,
}

impl Delivery {
    /// Delivers the batch. Returns false if the trigger is stopped before the end.
    ///
    /// Parts are processed strictly in order, so that everything up to a record can be
    /// acknowledged.
    pub(crate) async fn deliver(&mut self, batch: &[Record]) -> bool {
        let mut parts = vec![Part {
            records: 0..batch.len(),
            retries: 0,
            invocations: 0,
            was_function_error: false,
        }];
        while let Some(mut part) = parts.pop() {
            if self.is_stopped() {
                return false;
            }
            let expired = self.expired(&batch[part.records.clone()]);
            if expired > 0 {
                let old = part.records.start..part.records.start + expired;
                let records = &batch[old.clone()];
                if !self.give_up(records, &part, Condition::RecordAgeExceeded).await {
                    return false;
                }
                part.records.start = old.end;
            }
            if part.records.is_empty() {
                continue;
            }
            match self.invoke(&batch[part.records.clone()], &mut part).await {
                Outcome::Delivered => {
                    self.acknowledge(&batch[part.records.end - 1].sequence_number).await;
                }
                Outcome::DeliveredBefore(count) if count > 0 => {
                    part.records.start += count;
                    part.retries = 0;
                    self.acknowledge(&batch[part.records.start - 1].sequence_number).await;
                    parts.push(part);
                }
                Outcome::DeliveredBefore(_) | Outcome::Failed => {
                    if !self.again(batch, part, &mut parts).await {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Splits, retries or gives up a part of which nothing was delivered. Splitting does not count
    /// as a retry. Returns whether to continue.
    async fn again(&mut self, batch: &[Record], mut part: Part, parts: &mut Vec<Part>) -> bool {
        if self.mapping.bisect && part.records.len() > 1 {
            let middle = part.records.start + part.records.len() / 2;
            parts.push(Part { records: middle..part.records.end, ..part });
            parts.push(Part { records: part.records.start..middle, ..part });
            return true;
        }
        if self.mapping.maximum_retry_attempts.is_some_and(|most| part.retries >= most) {
            let records = &batch[part.records.clone()];
            return self.give_up(records, &part, Condition::RetryAttemptsExhausted).await;
        }
        let backoff = self.pace.first_backoff.saturating_mul(2_u32.saturating_pow(part.retries));
        self.pause(backoff.min(self.pace.longest_backoff)).await;
        part.retries += 1;
        parts.push(part);
        !self.is_stopped()
    }

    async fn invoke(&self, records: &[Record], part: &mut Part) -> Outcome {
        let answer = self.function.invoke(&event(records)).await;
        part.invocations += 1;
        part.was_function_error = answer.is_err();
        let outcome = self.outcome(records, &answer);
        match (&outcome, answer) {
            (Outcome::Delivered, _) => {}
            (_, Err(error)) => tracing::warn!("{} records: {error}", records.len()),
            (Outcome::DeliveredBefore(count), _) => tracing::warn!(
                "{count} of {} records delivered, failed at {}",
                records.len(),
                records[*count].sequence_number,
            ),
            (Outcome::Failed, Ok(answer)) => {
                tracing::warn!("{} records failed: {answer}", records.len());
            }
        }
        outcome
    }

    fn outcome(&self, records: &[Record], answer: &Result<Value, FunctionError>) -> Outcome {
        let Ok(answer) = answer else {
            return Outcome::Failed;
        };
        let failures = match answer.get("batchItemFailures") {
            Some(Value::Array(failures)) if self.mapping.report_batch_item_failures => failures,
            _ => return Outcome::Delivered,
        };
        let position = |failure: &Value| {
            let identifier = failure["itemIdentifier"].as_str()?;
            records.iter().position(|record| record.sequence_number == identifier)
        };
        // A missing, empty or unknown identifier fails the batch.
        let positions: Option<Vec<_>> = failures.iter().map(position).collect();
        match positions.map(|positions| positions.into_iter().min()) {
            Some(Some(first)) => Outcome::DeliveredBefore(first),
            Some(None) => Outcome::Delivered,
            None => Outcome::Failed,
        }
    }

    /// Counts the records at the front that are too old.
    fn expired(&self, records: &[Record]) -> usize {
        let Some(limit) = self.mapping.maximum_record_age else {
            return 0;
        };
        let limit = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
        let now = (self.now)();
        records.iter().take_while(|record| now.duration_since(record.written_at) > limit).count()
    }

    /// Sends the records to the on-failure destination, so that delivery can continue after them.
    /// Returns false if the trigger is stopped before they are kept.
    async fn give_up(&mut self, records: &[Record], part: &Part, condition: Condition) -> bool {
        let given_up = GivenUp {
            records,
            condition,
            invocations: part.invocations,
            is_function_error: part.was_function_error,
        };
        while let Err(error) = self.failed_records.keep(&given_up).await {
            tracing::error!("cannot keep records after giving up: {error}");
            self.pause(self.pace.longest_backoff).await;
            if self.is_stopped() {
                return false;
            }
        }
        if let Some(last) = records.last() {
            self.acknowledge(&last.sequence_number).await;
        }
        true
    }

    /// Acknowledges everything up to this record.
    pub(crate) async fn acknowledge(&mut self, sequence_number: &str) {
        while let Err(error) = self.checkpoint.save(sequence_number).await {
            tracing::error!("cannot save the checkpoint: {error}");
            self.pause(self.pace.longest_backoff).await;
            if self.is_stopped() {
                return;
            }
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        // The channel is closed if the trigger was dropped instead of shut down.
        *self.stopped.borrow() || self.stopped.has_changed().is_err()
    }

    /// Waits until the duration is over or the trigger is stopped.
    pub(crate) async fn pause(&self, duration: Duration) {
        let mut stopped = self.stopped.clone();
        // An error means that the trigger was dropped, which stops it, too.
        let _ = tokio::time::timeout(duration, stopped.wait_for(|stopped| *stopped)).await;
    }
}
