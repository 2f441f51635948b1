use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};

/// As many turns as there are processors. A hash keeps a processor busy, so more at once would only
/// make each take longer, and each needs memory of its own.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from)));

/// Hashes off the async executor, when it is its turn.
pub(crate) async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    spawn_blocking(move || {
        // Waits inside the blocking task, not before it: a runtime with a paused clock jumps ahead when
        // all of its tasks are waiting, but not while there is blocking work.
        let _turn =
            Handle::current().block_on(TURNS.acquire()).expect("the semaphore is never closed");
        work()
    })
    .await
}
