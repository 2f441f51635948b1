//! Faults between the SDK and `DynamoDB`: throttling, conflicting writes of the same items,
//! failures of `DynamoDB`, and failures of the network.
//!
//! [`FaultyDynamoDb`] keeps its table in this process. Tests access it through the SDK's own
//! client, which retries, times out and parses answers as in a function. Between the two, a
//! [`Plan`] decides for each request what goes wrong. Without a socket, there are only timers to
//! wait for, so a test under tokio's paused clock ends at once, however long the client waits. On
//! one thread, a seeded plan makes every run the same.
//!
//! [`Proxy`] serves the same table over TCP, where connections really break.

mod connector;
mod injector;
mod plan;
mod proxy;
mod store;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryPartition;
use storefront_core::aws::{self, SdkConfig};
use storefront_core::{Table, schema};

use crate::evidence;
use connector::Connector;
use injector::Injector;

pub use plan::{Fault, Plan};
pub use proxy::Proxy;
pub use store::Store;

/// A `DynamoDB` in this process with planned faults.
#[derive(Clone, Debug)]
pub struct FaultyDynamoDb {
    store: Arc<Store>,
    injected: Arc<Injected>,
}

/// How often each fault took effect.
#[derive(Debug, Default)]
pub struct Injected(Mutex<BTreeMap<Fault, u32>>);

impl FaultyDynamoDb {
    /// Starts a `DynamoDB` with the table of `template.yaml`.
    #[must_use]
    pub fn start() -> Self {
        evidence::start();
        Self { store: Arc::new(Store::open()), injected: Arc::default() }
    }

    /// Returns the table, with its own client, whose requests meet the faults of the plan.
    #[must_use]
    pub fn table(&self, plan: &Plan) -> Table {
        Table::new(self.client(plan), self.store.table_name())
    }

    /// Returns a client whose requests meet the faults of the plan.
    #[must_use]
    pub fn client(&self, plan: &Plan) -> Client {
        // By default all clients of a process share one retry budget, even across tests.
        static CLIENTS: AtomicU64 = AtomicU64::new(0);

        let config = config().into_builder().http_client(Connector::new(self.injector(plan)));
        let client = aws::dynamodb(&config.build(), Some("http://in-process.invalid".to_owned()));
        let name = format!("faults-{}", CLIENTS.fetch_add(1, Ordering::Relaxed));
        let config = client.config().to_builder().retry_partition(RetryPartition::new(name));
        Client::from_conf(config.build())
    }

    /// The table's name.
    #[must_use]
    pub fn table_name(&self) -> &str {
        self.store.table_name()
    }

    /// Reads every item of the table, without faults.
    #[must_use]
    pub fn items(&self) -> Vec<schema::Item> {
        self.store.items()
    }

    /// Returns the records of the table's stream, oldest first.
    #[must_use]
    pub fn stream(&self) -> Vec<serde_json::Value> {
        self.store.stream()
    }

    /// Waits until every late write has been applied. If no request is in flight either, the table
    /// no longer changes.
    pub async fn settled(&self) {
        self.store.settled().await;
    }

    /// How often each fault took effect so far.
    #[must_use]
    pub fn injected(&self) -> BTreeMap<Fault, u32> {
        self.injected.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn injector(&self, plan: &Plan) -> Injector {
        Injector::new(Arc::clone(&self.store), plan.clone(), Arc::clone(&self.injected))
    }
}

impl Injected {
    fn count(&self, fault: Fault) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(fault).or_default() += 1;
    }
}

/// Built once: it initialises TLS, which is not needed here and takes milliseconds.
fn config() -> SdkConfig {
    static CONFIG: OnceLock<SdkConfig> = OnceLock::new();
    CONFIG.get_or_init(aws::emulator_config).clone()
}
