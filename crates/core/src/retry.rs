//! Trying again when others were writing the same items.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder, Retryable};

use crate::{Error, Result};

/// How often an operation is tried when it meets other writers.
const MAX_TRIES: usize = 7;

/// How often something is decided that is outdated by the time it is written.
const MAX_DECISIONS: usize = 5;

/// Runs `operation` until it meets no other writer, [`MAX_TRIES`] times at most, with 20 ms to
/// 640 ms of backoff between and as much again of jitter: at most 2.5 s of pauses in all. How long
/// the tries themselves and what is decided anew around them may take is for the caller's deadline
/// to bound.
///
/// The SDK retries what is transient for any service; it does not retry a write that conflicted with
/// a transaction, which only the shop knows to be harmless.
pub(crate) async fn on_contention<T, F, Fut>(operation: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    on(|error| matches!(error, Error::Contention), operation).await
}

/// The same for other errors that pass.
pub(crate) async fn on<T, F, Fut>(passes: fn(&Error) -> bool, operation: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    operation.retry(schedule()).when(passes).await
}

/// Lets `decide` read and write until it does so without another writer in between, which it tells
/// by `None`. It comes to rest quickly: nearly each `None` is somebody else's success.
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

/// The pauses between tries, of 20 ms to 640 ms and as much again of jitter: for a loop that keeps
/// what it has between them, and for whoever wants to know how a rush on one item ends.
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
    fn those_who_met_do_not_meet_again_after_the_same_pauses() {
        let everybodys: Vec<Vec<Duration>> = (0..20).map(|_| pauses().collect()).collect();
        for (place, mine) in everybodys.iter().enumerate() {
            assert_eq!(mine.len(), MAX_TRIES - 1);
            assert!(!everybodys[..place].contains(mine), "{mine:?}");
        }
    }
}
