//! Retries after conflicts with other writers of the same items.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};

use crate::{Error, Result};

/// How often an operation is tried if it conflicts with other writers.
const MAX_TRIES: usize = 7;

/// How often a decision is made if each one is outdated by the time it is written.
const MAX_DECISIONS: usize = 5;

/// Runs `operation` until it meets no conflict, at most [`MAX_TRIES`] times. The backoff between
/// tries is 20 ms to 640 ms, plus up to as much jitter: at most 2.5 s of pauses in all. The tries
/// themselves, and decisions that are repeated around them, take extra time; the caller's deadline
/// must bound it.
///
/// The SDK retries what is transient in any service. It does not retry a write that conflicted with
/// a transaction: only the shop knows that this is harmless.
pub(crate) async fn on_contention<T, F, Fut>(operation: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    on(|error| matches!(error, Error::Contention), operation).await
}

/// Does the same for the errors that `is_retryable` selects.
pub(crate) async fn on<T, F, Fut>(is_retryable: fn(&Error) -> bool, operation: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    operation.retry(schedule()).when(is_retryable).await
}

/// Calls `decide`, which reads and writes, until no other writer comes in between. If one does,
/// `decide` returns `None`. This ends soon: nearly every `None` is another request's success.
pub(crate) async fn while_outdated<T, F, Fut>(mut decide: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    for _ in 0..MAX_DECISIONS {
        if let Some(done) = decide().await? {
            return Ok(done);
        }
    }
    Err(Error::Contention)
}

/// Returns the pauses between tries: 20 ms to 640 ms, plus up to as much jitter. For a loop that
/// keeps what it has between tries, and for anyone who wants to know how a rush on one item ends.
pub fn pauses() -> impl Iterator<Item = Duration> {
    schedule().build()
}

fn schedule() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(20))
        .with_max_delay(Duration::from_millis(640))
        .with_max_times(MAX_TRIES - 1)
        .with_jitter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_that_conflicted_do_not_pause_equally_long() {
        let all: Vec<Vec<Duration>> = (0..20).map(|_| pauses().collect()).collect();
        for (place, mine) in all.iter().enumerate() {
            assert_eq!(mine.len(), MAX_TRIES - 1);
            assert!(!all[..place].contains(mine), "{mine:?}");
        }
    }
}
