//! An SQS queue that delivers in any order, sometimes twice, to two invocations at once.

use std::time::Duration;

use futures_util::future::join;
use lambda_runtime::Context;
use serde_json::{Value, json};
use storefront_notifications::Notifications;
use tokio::time::{Instant, sleep_until, timeout};

use crate::{invoke, message};

/// As in the template.
const VISIBILITY_TIMEOUT: Duration = Duration::from_mins(6);
const BATCH_SIZE: usize = 10;

pub(super) struct Queue {
    random: fastrand::Rng,
    messages: Vec<Waiting>,
}

struct Waiting {
    id: String,
    body: String,
    visible_at: Instant,
}

impl Queue {
    /// A queue with these events.
    pub(super) fn new(seed: u64, events: Vec<Value>) -> Self {
        let now = Instant::now();
        let messages = events.into_iter().enumerate().map(|(place, event)| Waiting {
            id: place.to_string(),
            body: event.to_string(),
            visible_at: now,
        });
        Self { random: fastrand::Rng::with_seed(seed), messages: messages.collect() }
    }

    /// Delivers until nothing is left. Of 100 invocations, `crashes` are ended in the middle of their work.
    /// Returns how many were.
    pub(super) async fn deliver_all(&mut self, function: &Notifications, crashes: u8) -> usize {
        let mut crashed = 0;
        while let Some(next) = self.messages.iter().map(|waiting| waiting.visible_at).min() {
            sleep_until(next).await;
            let [one, other] = [self.receive(), self.receive()];
            let [cut_one, cut_other] = [(); 2].map(|()| self.cut(crashes));
            let (one, other) =
                join(deliver(function, one, cut_one), deliver(function, other, cut_other)).await;
            for delivered in [one, other] {
                match delivered {
                    Some(done) => {
                        // Sometimes SQS forgets that a message was deleted.
                        self.messages.retain(|waiting| {
                            !done.contains(&waiting.id) || self.random.u8(..100) < 3
                        });
                    }
                    None => crashed += 1,
                }
            }
        }
        crashed
    }

    /// Receives a batch of visible messages, which it hides.
    fn receive(&mut self) -> Vec<Value> {
        let now = Instant::now();
        self.random.shuffle(&mut self.messages);
        let visible = self.messages.iter_mut().filter(|waiting| waiting.visible_at <= now);
        let mut batch = Vec::new();
        for waiting in visible.take(BATCH_SIZE) {
            // Sometimes another receives it, too.
            if self.random.u8(..100) >= 3 {
                waiting.visible_at = now + VISIBILITY_TIMEOUT;
            }
            batch.push(message(&waiting.id, &waiting.body));
        }
        batch
    }

    /// When to end an invocation, if at all.
    fn cut(&mut self, crashes: u8) -> Option<Duration> {
        let is_cut = self.random.u8(..100) < crashes;
        is_cut.then(|| Duration::from_millis(self.random.u64(..2000)))
    }
}

/// Invokes the function. Returns the ids of the messages that it is done with; `None` if it was ended.
async fn deliver(
    function: &Notifications,
    batch: Vec<Value>,
    cut: Option<Duration>,
) -> Option<Vec<String>> {
    let ids: Vec<_> =
        batch.iter().map(|message| message["messageId"].as_str().unwrap().to_owned()).collect();
    let invoked = invoke(function, json!({ "Records": batch }), Context::default());
    let failed = match cut {
        Some(after) => timeout(after, invoked).await.ok()?,
        None => invoked.await,
    };
    Some(ids.into_iter().filter(|id| !failed.contains(id)).collect())
}
