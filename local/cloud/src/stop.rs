//! Tasks that are asked to stop, and finish what they have begun.

use std::future::Future;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A task that works until it is shut down.
pub(crate) struct Worker {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Whether a task has to stop.
#[derive(Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Worker {
    /// Starts the task that this returns.
    pub(crate) fn start<F>(work: impl FnOnce(Stop) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        Self { stop, task: tokio::spawn(work(Stop(stopped))) }
    }

    /// Stops the task, and returns when it has finished what it has begun.
    pub(crate) async fn shutdown(self) {
        self.stop.send_replace(true);
        if let Err(panic) = self.task.await {
            tracing::error!("{panic}");
        }
    }

    /// Ends the task as SIGKILL would, at any point of its work.
    #[cfg(test)]
    pub(crate) async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

impl Stop {
    /// Returns when the task has to stop.
    pub(crate) async fn stopped(&mut self) {
        // An error means that the worker was dropped, which stops it, too.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }

    /// Returns what the future does, or `None` if the task has to stop first.
    pub(crate) async fn or<F: Future>(&mut self, future: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = self.stopped() => None,
            output = future => Some(output),
        }
    }
}
