//! Faults between the SDK and `DynamoDB`: what its answers look like when it is throttled, when
//! others write the same items, when it fails, and when the network does.
//!
//! [`FaultyDynamoDb`] keeps its table in this process and is reached through the SDK's own client,
//! which retries, times out and reads answers as in a function. Between the two, a [`Plan`] decides
//! for each request what goes wrong with it. Without a socket there is nothing but timers to wait
//! for, so a test under tokio's paused clock is over at once, however long the client waits; and on
//! one thread, a seeded plan makes it the same run each time.
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

/// A `DynamoDB` in this process whose answers go wrong as planned.
#[derive(Clone, Debug)]
pub struct FaultyDynamoDb {
    store: Arc<Store>,
    injected: Arc<Injected>,
}

/// How often each fault took effect.
#[derive(Debug, Default)]
pub struct Injected(Mutex<BTreeMap<Fault, u32>>);

impl FaultyDynamoDb {
    /// Starts one, with the table of `template.yaml`.
    #[must_use]
    pub fn start() -> Self {
        evidence::start();
        Self { store: Arc::new(Store::open()), injected: Arc::default() }
    }

    /// Its table through a client of its own, whose requests go wrong as planned.
    #[must_use]
    pub fn table(&self, plan: &Plan) -> Table {
        Table::new(self.client(plan), self.store.table_name())
    }

    /// The same without the table.
    #[must_use]
    pub fn client(&self, plan: &Plan) -> Client {
        // All clients of a process share their budget of retries, also those of other tests.
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

    /// Every item in the table, read past all faults.
    #[must_use]
    pub fn items(&self) -> Vec<schema::Item> {
        self.store.items()
    }

    /// Waits until every late write has been applied: when no request is under way any more, the
    /// table then stays as it is.
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

/// Made once: getting TLS ready, which is not needed here, takes milliseconds.
fn config() -> SdkConfig {
    static CONFIG: OnceLock<SdkConfig> = OnceLock::new();
    CONFIG.get_or_init(aws::emulator_config).clone()
}
