use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};

/// A hash keeps a processor busy: with more at once than there are processors, all of them take
/// longer, and each has memory of its own.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from)));

/// Does what takes a processor for a hash, off the async executor.
pub(crate) async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    spawn_blocking(move || {
        // It waits here, and not before: a runtime whose clock is paused leaps ahead when all of its
        // tasks wait for what others do, but not while there is blocking work.
        let _turn = Handle::current().block_on(TURNS.acquire()).expect("it is never closed");
        work()
    })
    .await
}
