//! Runs schedules over TCP, in real time: with the SDK's own HTTP client, connections that are reset,
//! and answers that break off. These are fewer schedules, concurrent, with shorter timeouts.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use storefront_core::aws::{self, SdkConfig};
use storefront_invariants::Shop;
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan, Proxy};

use crate::engine::client::Client;
use crate::engine::schedule::{PASSWORDS_EVERY, Report, Scenario};
use crate::entities::Snapshot;

const SCHEDULES: u64 = 16;

/// How long the SDK waits for the answer to one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_millis(400);

/// The faults that happen only on a connection.
const FAULTS: [Fault; 4] =
    [Fault::Reset, Fault::AppliedReset, Fault::TruncatedBody, Fault::SlowAnswer];

#[tokio::test]
async fn an_order_is_placed_once_whatever_becomes_of_the_connection() {
    for fault in FAULTS {
        let dynamodb = FaultyDynamoDb::start();
        let scenario = Scenario::prepare(&dynamodb, false).await;
        let plan = Plan::none().with_patience(ATTEMPT_TIMEOUT);
        let proxy = Proxy::start(&dynamodb, &plan).await;
        let shop = Shop::over(&proxy.table(&config_with_short_timeouts()));
        let product = scenario.products.lock().unwrap()[0].to_string();

        plan.next("TransactWriteItems", 1, fault);
        let order = shop.order(scenario.customers[0], None, &[(&product, 1)]).await.expect(201);
        assert_eq!(dynamodb.injected().get(&fault), Some(&1));
        proxy.stop().await;
        dynamodb.settled().await;
        let snapshot = Snapshot::of(dynamodb.items());
        let orders: Vec<_> = snapshot.orders.keys().map(ToString::to_string).collect();
        assert_eq!(orders, [order.body["id"].as_str().unwrap()], "{fault:?}");
    }
}

#[test]
fn the_shop_keeps_its_word_over_connections_that_break() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reports = runtime.block_on(async {
        // One after the other: on a busy machine, all at once would take longer than a client waits.
        let mut prepared = Vec::new();
        for seed in 0..SCHEDULES {
            let dynamodb = FaultyDynamoDb::start();
            let passwords = seed.is_multiple_of(PASSWORDS_EVERY);
            let scenario = Scenario::prepare(&dynamodb, passwords).await;
            prepared.push(Box::pin(run(seed, dynamodb, scenario)));
        }
        join_all(prepared).await
    });
    for report in &reports {
        assert!(report.violations.is_empty(), "{report}");
    }
}

async fn run(seed: u64, dynamodb: FaultyDynamoDb, scenario: Scenario) -> Report {
    let mut random = fastrand::Rng::with_seed(seed);
    let scenario = Arc::new(scenario);
    let config = config_with_short_timeouts();
    let mut proxies = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let plan = Plan::seeded(random.u64(..), 15).with_patience(ATTEMPT_TIMEOUT);
        let proxy = Proxy::start(&dynamodb, &plan).await;
        let shop = scenario.shop_on(&proxy.table(&config));
        proxies.push(proxy);
        clients.push(Client::new(shop, Arc::clone(&scenario), random.fork()).run(5));
    }
    join_all(clients).await;
    join_all(proxies.into_iter().map(Proxy::stop)).await;
    Report::of(seed, &dynamodb, &scenario).await
}

fn config_with_short_timeouts() -> SdkConfig {
    let timeouts = aws::timeouts().operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    aws::emulator_config().into_builder().timeout_config(timeouts).build()
}
