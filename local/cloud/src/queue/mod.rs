//! SQS: standard queues and the event source mappings that read them.

mod api;
mod event;
mod mapping;
mod receiver;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use serde_json::{Map, Value};
use storefront_template::{Queue, Template};

use crate::Error;

pub(crate) use api::SQS_PATH;
pub(crate) use mapping::start;
pub(crate) use receiver::Receiver;
pub(crate) use store::{Inbox, Message, NewMessage, Settlement, Store};

/// The template's standard queues.
#[derive(Clone)]
pub(crate) struct Queues {
    queues: Arc<BTreeMap<String, Queue>>,
    store: Store,
}

impl Queues {
    pub(crate) fn of(template: &Template, store: Store) -> Result<Self, Error> {
        let queues = template.queues()?.into_iter();
        let queues = queues.map(|queue| (queue.logical_id.clone(), queue)).collect();
        Ok(Self { queues: Arc::new(queues), store })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the logical ids.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.queues.keys().map(String::as_str).collect()
    }

    /// Returns a message for a queue, with the queue's delay.
    pub(crate) fn message(
        &self,
        queue: &str,
        body: String,
        attributes: Map<String, Value>,
    ) -> NewMessage {
        let delay = self.queues.get(queue).map(|queue| queue.delay).unwrap_or_default();
        NewMessage { queue: queue.to_owned(), body, attributes, delay }
    }

    pub(crate) fn routes(&self) -> Router {
        api::routes(self.clone())
    }

    fn inbox(&self, queue: &str) -> Option<Inbox> {
        let queue = self.queues.get(queue)?;
        Some(Inbox {
            queue: queue.logical_id.clone(),
            visibility_timeout: queue.visibility_timeout,
            retention: queue.retention,
            redrive: queue.redrive.clone(),
        })
    }
}
