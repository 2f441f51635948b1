//! The same over TCP, in real time: with the SDK's own HTTP client, connections that are reset, and
//! answers that break off on the wire. Fewer schedules, all at once, and less patience.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use storefront_core::aws::{self, SdkConfig};
use storefront_invariants::{Shop, Snapshot};
use storefront_testing::faults::{Fault, FaultyDynamoDb, Plan, Proxy};

use crate::client::Client;
use crate::schedule::{Report, WITH_PASSWORDS, World};

const SCHEDULES: u64 = 16;

/// How long a client waits for the answer to one try.
const PATIENCE: Duration = Duration::from_millis(400);

/// What happens on the wire only.
const FAULTS: [Fault; 4] =
    [Fault::Reset, Fault::AppliedReset, Fault::TruncatedBody, Fault::SlowAnswer];

#[tokio::test]
async fn an_order_is_placed_once_whatever_becomes_of_the_connection() {
    for fault in FAULTS {
        let dynamodb = FaultyDynamoDb::start();
        let world = World::open(&dynamodb, false).await;
        let plan = Plan::none().with_patience(PATIENCE);
        let proxy = Proxy::start(&dynamodb, &plan).await;
        let shop = Shop::over(&proxy.table(&impatient_config()));
        let product = world.products.lock().unwrap()[0].to_string();

        plan.next("TransactWriteItems", 1, fault);
        let order = shop.order(world.customers[0], None, &[(&product, 1)]).await.expect(201);
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
    let schedules = (0..SCHEDULES).map(|seed| Box::pin(run(seed)));
    let reports = runtime.block_on(async { join_all(schedules).await });
    for report in &reports {
        assert!(report.violations.is_empty(), "{report}");
    }
}

async fn run(seed: u64) -> Report {
    let mut random = fastrand::Rng::with_seed(seed);
    let dynamodb = FaultyDynamoDb::start();
    let world = Arc::new(World::open(&dynamodb, seed.is_multiple_of(WITH_PASSWORDS)).await);
    let config = impatient_config();
    let mut proxies = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..3 {
        let plan = Plan::seeded(random.u64(..), 15).with_patience(PATIENCE);
        let proxy = Proxy::start(&dynamodb, &plan).await;
        let shop = Shop::over(&proxy.table(&config));
        proxies.push(proxy);
        clients.push(Client::new(shop, Arc::clone(&world), random.fork()).run(5));
    }
    join_all(clients).await;
    join_all(proxies.into_iter().map(Proxy::stop)).await;
    Report::of(seed, &dynamodb, &world).await
}

fn impatient_config() -> SdkConfig {
    let timeouts = aws::timeouts().operation_attempt_timeout(PATIENCE).build();
    aws::emulator_config().into_builder().timeout_config(timeouts).build()
}
