//! Many orders whose mails are sent while everything fails: SES throttles, refuses to work, loses answers;
//! the queue delivers twice and in any order; the table throttles, conflicts, loses answers; and the
//! function is ended in the middle of its work. Every mail is sent, and one that is sent twice is counted.
//!
//! All of it is in this process, under tokio's paused clock: hours of retries take seconds, and a seed
//! decides what goes wrong.

mod queue;
mod ses;

use std::collections::BTreeMap;
use std::env;

use serde_json::Value;
use storefront_core::{OrderAccess, OrderId, OrderStatus, StatusChange, Timestamp};
use storefront_http::MetricSink;
use storefront_notifications::{Notifications, Ses};
use storefront_testing::CapturedMetrics;
use storefront_testing::faults::Plan;
use tokio::time::Instant;

use crate::shop::Shop;
use queue::Queue;
use ses::{Odds, SimulatedSes};

/// What may go wrong.
struct World {
    seed: u64,
    /// Of 100 requests to the table.
    table: u8,
    ses: Odds,
    /// Of 100 invocations that are ended in the middle.
    crashes: u8,
}

/// What came of it.
struct Outcome {
    /// How often each event was mailed.
    mailed: BTreeMap<String, usize>,
    /// How often the function says that a mail may have been sent twice.
    counted: f64,
    /// The crashes and the answers of SES that were lost.
    unknown: usize,
}

/// The number of orders here; `cargo xtask nightly` takes a thousand.
fn number_of_orders() -> usize {
    env::var("STOREFRONT_MAILED_ORDERS").map_or(60, |text| text.parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn every_mail_is_sent_once_whatever_fails_as_long_as_it_is_known_to_have_failed() {
    for seed in 1..=3 {
        let ses = Odds { refused: 30, unanswered: 0 };
        let outcome = run(&World { seed, table: 10, ses, crashes: 0 }).await;
        for (event, times) in &outcome.mailed {
            assert_eq!(*times, 1, "seed {seed}: {event}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_crashes_and_lost_answers_a_mail_may_be_sent_twice_and_is_counted() {
    let (mut unknown, mut doubled) = (0, 0);
    for seed in 1..=3 {
        let ses = Odds { refused: 15, unanswered: 5 };
        let outcome = run(&World { seed, table: 10, ses, crashes: 10 }).await;
        for (event, times) in &outcome.mailed {
            assert!(*times >= 1, "seed {seed}: {event} was not mailed");
        }
        let more: usize = outcome.mailed.values().map(|times| times - 1).sum();
        #[allow(clippy::cast_precision_loss, reason = "they are few")]
        let is_counted = more as f64 <= outcome.counted;
        assert!(is_counted, "seed {seed}: {more} doubled, {} counted", outcome.counted);
        assert!(more <= outcome.unknown, "seed {seed}: {more} doubled by {}", outcome.unknown);
        unknown += outcome.unknown;
        doubled += more;
    }
    assert!(unknown > 0 && doubled > 0, "the test would not notice: {unknown}, {doubled}");
}

/// Delivers the events of a shop's life until the queue is empty.
async fn run(world: &World) -> Outcome {
    let shop = Shop::open();
    let (expected, events) = life(&shop, world.seed).await;
    let start = Instant::now();
    let epoch = Timestamp::now();
    let clock = move || {
        let elapsed = i64::try_from(start.elapsed().as_millis()).unwrap();
        Timestamp::from_millis(epoch.as_millis() + elapsed).unwrap()
    };
    let simulated = SimulatedSes::new(world.seed, world.ses);
    let metrics = CapturedMetrics::default();
    let plan = Plan::seeded(world.seed, world.table);
    let ses = Ses::new(&simulated.config(), Some("http://ses.invalid".to_owned()));
    let function = Notifications::new(shop.dynamodb.table(&plan), ses, crate::settings())
        .with_metrics(MetricSink::new("shop", metrics.clone()))
        .with_clock(clock);
    let mut queue = Queue::new(world.seed, events);
    let crashes = queue.deliver_all(&function, world.crashes).await;
    assert!(start.elapsed() < storefront_notifications::MAILED_FOR, "{:?}", start.elapsed());

    let mut mailed: BTreeMap<_, _> = expected.iter().map(|event| (event.clone(), 0)).collect();
    for event in simulated.sent() {
        *mailed.get_mut(&event).unwrap_or_else(|| panic!("{event} is not mailed about")) += 1;
    }
    for (event, times) in &mailed {
        assert!(*times >= 1, "seed {}: {event} was not mailed", world.seed);
    }
    let again = metrics.take().into_iter().filter_map(|line| line["MailsSentAgain"].as_f64());
    Outcome { mailed, counted: again.sum(), unknown: crashes + simulated.unanswered() }
}

/// Orders live in a shop, each as the seed decides. Returns the ids of the events that are mailed, and all
/// events.
async fn life(shop: &Shop, seed: u64) -> (Vec<String>, Vec<Value>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let ada = shop.customer("Ada", None).await;
    let espresso = shop.product("Espresso", 1890).await;
    for _ in 0..number_of_orders() {
        let id = shop.place(&ada, &[&espresso]).await;
        match random.u8(..5) {
            0 => {
                let owner = OrderAccess::OwnedBy(ada.id);
                shop.change_as(owner, id, StatusChange::new(OrderStatus::Cancelled)).await;
            }
            1 => {
                change_all(shop, id, &[OrderStatus::Paid, OrderStatus::Cancelled]).await;
                shop.refund(id, 890).await;
                shop.refund(id, 1000).await;
            }
            2 => change_all(shop, id, &[OrderStatus::Paid]).await,
            _ => {
                use OrderStatus::{Delivered, Paid, Returned, Shipped};
                change_all(shop, id, &[Paid, Shipped, Delivered, Returned]).await;
            }
        }
    }
    let events = shop.events();
    let mailed = events.iter().filter(|event| event["detail"]["status"] != "returned");
    let ids = mailed.map(|event| event["detail"]["eventId"].as_str().unwrap().to_owned());
    (ids.collect(), events)
}

async fn change_all(shop: &Shop, id: OrderId, statuses: &[OrderStatus]) {
    for status in statuses {
        shop.change(id, *status).await;
    }
}
