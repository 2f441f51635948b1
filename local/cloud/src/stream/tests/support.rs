//! A consumer with injected faults, and a real stream for it.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use dynoxide::DynoxideError;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use storefront_embedded::{EmbeddedDynamoDb, test_table};
use storefront_suite::Handler;
use storefront_template::Template;
use storefront_testing::evidence;
use tempfile::TempDir;
use tokio::sync::Notify;

use super::super::source::Shard;
use super::super::*;

/// Fast, so that the tests do not wait long, but slow enough to be observed.
pub(crate) const PACE: Pace = Pace {
    poll: Duration::from_millis(5),
    first_backoff: Duration::from_millis(1),
    longest_backoff: Duration::from_millis(4),
};

/// What the consumer does with a batch that contains a key.
#[derive(Clone, Copy)]
pub(crate) enum Fault {
    /// Reports the record.
    Report,
    /// Fails the whole invocation.
    Fail,
    /// Never responds.
    Hang,
}

/// A consumer that records its batches, and fails for some keys a number of times.
#[derive(Clone, Default)]
pub(crate) struct Consumer {
    state: Arc<Mutex<State>>,
    invoked: Arc<Notify>,
}

#[derive(Default)]
struct State {
    batches: Vec<Vec<String>>,
    events: Vec<Value>,
    faults: HashMap<String, VecDeque<Fault>>,
}

impl Consumer {
    pub(crate) fn with_fault(self, key: &str, fault: Fault, times: usize) -> Self {
        let faults = std::iter::repeat_n(fault, times);
        self.state.lock().unwrap().faults.entry(key.to_owned()).or_default().extend(faults);
        self
    }

    pub(crate) fn function(&self) -> Function {
        let consumer = self.clone();
        let handler = Handler::new(move |event: LambdaEvent<Value>| {
            let consumer = consumer.clone();
            async move { consumer.handle(event.payload).await }
        });
        Function::new(handler).with_timeout(Duration::from_millis(200))
    }

    async fn handle(&self, event: Value) -> Result<Value, &'static str> {
        let answer = self.decide(event);
        self.invoked.notify_one();
        match answer {
            Err(Fault::Hang) => std::future::pending().await,
            Err(_) => Err("on purpose"),
            Ok(failures) => Ok(json!({ "batchItemFailures": failures })),
        }
    }

    fn decide(&self, event: Value) -> Result<Vec<Value>, Fault> {
        let mut state = self.state.lock().unwrap();
        let records = event["Records"].as_array().unwrap();
        let keys: Vec<_> = records.iter().map(key).collect();
        state.batches.push(keys.clone());
        let mut failures = Vec::new();
        for (key, record) in keys.iter().zip(records) {
            match state.faults.get_mut(key).and_then(VecDeque::pop_front) {
                None => {}
                Some(Fault::Report) => {
                    failures
                        .push(json!({ "itemIdentifier": record["dynamodb"]["SequenceNumber"] }));
                }
                Some(fault) => return Err(fault),
            }
        }
        state.events.push(event);
        Ok(failures)
    }

    pub(crate) fn batches(&self) -> Vec<Vec<String>> {
        self.state.lock().unwrap().batches.clone()
    }

    pub(crate) fn first_event(&self) -> Value {
        self.state.lock().unwrap().events[0].clone()
    }

    /// Waits until it has been invoked this many times.
    pub(crate) async fn invoked(&self, times: usize) {
        let waiting = async {
            while self.batches().len() < times {
                self.invoked.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("it is invoked");
    }

    /// Waits for exactly these batches.
    pub(crate) async fn expect(&self, expected: &[&[&str]]) {
        let waiting = async {
            while self.batches() != expected {
                self.invoked.notified().await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(5), waiting).await.is_err() {
            assert_eq!(self.batches(), expected);
        }
    }
}

pub(crate) fn key(record: &Value) -> String {
    record["dynamodb"]["Keys"]["PK"]["S"].as_str().unwrap().to_owned()
}

/// Returns the mapping of order-events in this repository's template.
pub(crate) fn template_mapping() -> StreamMapping {
    mapping_of("OrderStatusStreamFunction")
}

/// Returns the mapping of a consumer in this repository's template.
pub(crate) fn mapping_of(function: &str) -> StreamMapping {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let template = Template::read(path).unwrap();
    template.stream_mapping_of(function).unwrap().unwrap()
}

/// Returns the template's mapping with a test's changes.
pub(crate) fn mapping(change: impl FnOnce(&mut StreamMapping)) -> StreamMapping {
    let mut mapping = template_mapping();
    mapping.filters = Vec::new();
    mapping.maximum_retry_attempts = Some(2);
    change(&mut mapping);
    mapping
}

/// The table's stream, with one failure at the first read of this key.
pub(crate) struct FailingOnce {
    shard: EmbeddedShard,
    at: &'static str,
    has_failed: AtomicBool,
    /// Notified of each read that returns records.
    pub(crate) has_read: Arc<Notify>,
}

impl Shard for FailingOnce {
    fn stream_arn(&self) -> &str {
        self.shard.stream_arn()
    }

    fn shard_id(&self) -> &str {
        self.shard.shard_id()
    }

    fn after(&self, position: Option<&str>) -> Result<Vec<Record>, Error> {
        let records = self.shard.after(position)?;
        if records.iter().any(|record| key(&record.event) == self.at)
            && !self.has_failed.swap(true, Ordering::Relaxed)
        {
            return Err(DynoxideError::InternalServerError("on purpose".to_owned()).into());
        }
        if !records.is_empty() {
            self.has_read.notify_one();
        }
        Ok(records)
    }
}

pub(crate) struct Setup {
    pub(crate) table: EmbeddedDynamoDb,
    pub(crate) folder: TempDir,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        evidence::start();
        Self { table: test_table().await, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn put(&self, key: &str) {
        self.put_item(&json!({ "PK": { "S": key }, "SK": { "S": "METADATA" } }));
    }

    pub(crate) fn put_item(&self, item: &Value) {
        let request = json!({ "TableName": self.table.table_name(), "Item": item });
        self.table.database().put_item(serde_json::from_value(request).unwrap()).unwrap();
    }

    pub(crate) fn delete_item(&self, key: &Value) {
        let request = json!({ "TableName": self.table.table_name(), "Key": key });
        self.table.database().delete_item(serde_json::from_value(request).unwrap()).unwrap();
    }

    pub(crate) fn start(&self, mapping: StreamMapping, consumer: &Consumer) -> StreamTrigger {
        StreamTrigger::start(
            mapping,
            consumer.function(),
            self.table.database().clone(),
            self.table.table_name(),
            None,
            Some(self.folder.path()),
            PACE,
        )
        .unwrap()
    }

    /// Returns the table's stream.
    pub(crate) fn shard(&self) -> EmbeddedShard {
        EmbeddedShard::of(self.table.database().clone(), self.table.table_name()).unwrap()
    }

    pub(crate) fn failing_once_at(&self, key: &'static str) -> FailingOnce {
        FailingOnce {
            shard: self.shard(),
            at: key,
            has_failed: AtomicBool::new(false),
            has_read: Arc::default(),
        }
    }

    /// Starts a trigger that reads this shard instead of the table's.
    pub(crate) fn start_reading(
        &self,
        shard: impl Shard + 'static,
        mapping: StreamMapping,
        consumer: &Consumer,
    ) -> StreamTrigger {
        let source = Source::new(shard, Filter::new(&mapping.filters).unwrap());
        let data_dir = Some(self.folder.path());
        StreamTrigger::deliver(source, mapping, consumer.function(), data_dir, PACE).unwrap()
    }

    /// Waits until this many documents are in the on-failure destination.
    pub(crate) async fn failed_records(&self, count: usize) -> Vec<Value> {
        self.failed_records_of(&template_mapping().function, count).await
    }

    /// Does the same for one of several consumers.
    pub(crate) async fn failed_records_of(&self, function: &str, count: usize) -> Vec<Value> {
        let folder = self.folder.path().join("failed-records").join(function);
        let found = async {
            loop {
                let files = std::fs::read_dir(&folder).into_iter().flatten();
                let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
                paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
                if paths.len() >= count {
                    return paths;
                }
                tokio::time::sleep(PACE.poll).await;
            }
        };
        let paths = tokio::time::timeout(Duration::from_secs(5), found).await.unwrap();
        let read = |path: &PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        paths.iter().map(read).collect()
    }
}
