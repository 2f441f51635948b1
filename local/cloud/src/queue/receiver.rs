//! Waits for messages.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::store::{Inbox, Message, Received, Store};
use crate::Error;
use crate::stop::Stop;

/// The pause after an error of the database.
const PAUSE: Duration = Duration::from_secs(10);

/// Receives the messages of a queue.
pub(crate) struct Receiver {
    store: Store,
    inbox: Inbox,
    changes: watch::Receiver<()>,
}

impl Receiver {
    pub(crate) fn new(store: Store, inbox: Inbox) -> Self {
        Self { changes: store.changes(), store, inbox }
    }

    /// Waits for messages, and from the first one on during the window for more of them. Returns at
    /// most as many as asked for, or `None` if the task has to stop.
    pub(crate) async fn batch(
        &mut self,
        most: usize,
        window: Duration,
        stop: &mut Stop,
    ) -> Option<Vec<Message>> {
        let mut messages = Vec::new();
        let mut until = None;
        loop {
            self.changes.borrow_and_update();
            let next = match self.store.receive(&self.inbox, most - messages.len()).await {
                Ok(Received { messages: more, next }) => {
                    messages.extend(more);
                    Ok(next)
                }
                Err(error) => {
                    tracing::error!("queue {}: {error}", self.inbox.queue);
                    Err(error)
                }
            };
            if !messages.is_empty() {
                let until = *until.get_or_insert_with(|| Instant::now() + window);
                if messages.len() == most || Instant::now() >= until {
                    return Some(messages);
                }
            }
            let news = self.news(next, until);
            // Messages that wait for a batch become visible again.
            stop.or(news).await?;
        }
    }

    /// Returns when there may be more messages, and at the latest at `until`.
    async fn news(&mut self, next: Result<Option<Timestamp>, Error>, until: Option<Instant>) {
        let clock = self.store.clock();
        let visible = async {
            match next {
                Ok(Some(next)) => clock.wait_until(next).await,
                Ok(None) => std::future::pending().await,
                Err(_) => sleep(PAUSE).await,
            }
        };
        let window_ends = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // The store, which this holds, never ends the channel.
            _ = self.changes.changed() => {}
            () = visible => {}
            () = window_ends => {}
        }
    }
}
