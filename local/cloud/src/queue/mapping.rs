//! The event source mapping from a queue to a function.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use storefront_template::{QueueMapping, Template};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::event::{event, filtered};
use super::{Message, Queues, Receiver, Settlement, Store};
use crate::Error;
use crate::function::{Function, FunctionError};
use crate::pattern::Patterns;
use crate::stop::{Stop, Worker};

/// The number of batches that Lambda processes at once to begin with. It adds more while messages
/// wait, which a laptop does not need.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
const CONCURRENCY: usize = 5;

struct Mapping {
    definition: QueueMapping,
    filter: Option<Patterns>,
    function: Function,
    store: Store,
}

/// Starts the template's mappings. `functions` are by logical id.
pub(crate) fn start(
    template: &Template,
    functions: &HashMap<String, Function>,
    queues: &Queues,
) -> Result<Vec<Worker>, Error> {
    let start = |definition: QueueMapping| {
        let missing = || Error::NoSuchFunction { logical_id: definition.function.clone() };
        let function = functions.get(&definition.function).ok_or_else(missing)?.clone();
        let filter = match &*definition.filters {
            [] => None,
            filters => Some(Patterns::new(filters)?),
        };
        let inbox = queues.inbox(&definition.queue).expect("the template has each mapping's queue");
        let receiver = Receiver::new(queues.store.clone(), inbox);
        let store = queues.store.clone();
        let mapping = Arc::new(Mapping { definition, filter, function, store });
        Ok(Worker::start(|stop| run(mapping, receiver, stop)))
    };
    template.queue_mappings()?.into_iter().map(start).collect()
}

async fn run(mapping: Arc<Mapping>, mut receiver: Receiver, mut stop: Stop) {
    let QueueMapping { batch_size, batching_window, maximum_concurrency, .. } = mapping.definition;
    let slots = Arc::new(Semaphore::new(maximum_concurrency.unwrap_or(CONCURRENCY)));
    let mut batches = JoinSet::new();
    while let Some(Ok(slot)) = stop.or(Arc::clone(&slots).acquire_owned()).await
        && let Some(messages) = receiver.batch(batch_size, batching_window, &mut stop).await
    {
        let mapping = Arc::clone(&mapping);
        batches.spawn(async move {
            mapping.deliver(messages).await;
            drop(slot);
        });
        while batches.try_join_next().is_some() {}
    }
    batches.join_all().await;
}

impl Mapping {
    /// Delivers a batch, and deletes what the function has processed. The rest becomes visible again
    /// when its visibility timeout is over.
    async fn deliver(&self, messages: Vec<Message>) {
        let QueueMapping { queue, .. } = &self.definition;
        let (messages, mut done): (Vec<_>, Vec<_>) =
            messages.into_iter().partition(|message| self.passes(message));
        if !messages.is_empty() {
            let answer = self.function.invoke(&event(queue, &messages)).await;
            let failed = self.failed(&messages, &answer);
            match (&answer, failed.len()) {
                (_, 0) => tracing::info!("queue {queue}: {} messages", messages.len()),
                (Err(error), count) => tracing::warn!("queue {queue}: {count} messages: {error}"),
                (Ok(answer), count) => {
                    let all = messages.len();
                    tracing::warn!("queue {queue}: {count} of {all} messages failed: {answer}");
                }
            }
            done.extend(messages.into_iter().filter(|message| !failed.contains(&message.id)));
        }
        if let Err(error) =
            self.store.settle(Settlement { deleted: done, ..Settlement::default() }).await
        {
            tracing::error!("queue {queue}: cannot delete messages: {error}");
        }
    }

    fn passes(&self, message: &Message) -> bool {
        let Some(filter) = &self.filter else { return true };
        let record = filtered(&self.definition.queue, message).to_string();
        filter.match_any(&record).unwrap_or_else(|error| {
            tracing::warn!("message {} cannot be filtered: {error}", message.id);
            true
        })
    }

    /// Returns the ids of the messages that the function has not processed. An answer that names
    /// messages wrongly fails the batch.
    fn failed(&self, messages: &[Message], answer: &Result<Value, FunctionError>) -> Vec<String> {
        let all = || messages.iter().map(|message| message.id.clone()).collect();
        let Ok(answer) = answer else { return all() };
        if !self.definition.report_batch_item_failures {
            return Vec::new();
        }
        let Some(failures) = answer.get("batchItemFailures").filter(|value| !value.is_null())
        else {
            return Vec::new();
        };
        let named = |failure: &Value| {
            let id = failure["itemIdentifier"].as_str()?;
            messages.iter().any(|message| message.id == id).then(|| id.to_owned())
        };
        let failures = failures.as_array().map(|failures| failures.iter().map(named).collect());
        failures.flatten().unwrap_or_else(all)
    }
}
