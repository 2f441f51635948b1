//! How many orders of one product can be placed per second. This is a simulation, because
//! conflicting attempts are retried, and then conflict with new ones.
//!
//! `DynamoDB` rejects a transaction on an item that another one is writing. The shop retries it
//! with the pauses of [`conflict_pauses`], and gives up after the last of them (503). Orders arrive
//! at random times (a Poisson process), each for one piece of the product.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use clap::Parser;
use comfy_table::Table;
use storefront_core::conflict_pauses;

use crate::report;
use crate::statistics::Percentiles;

/// The simulated sales; each combination is a row of the table.
#[derive(Debug, Parser)]
pub(crate) struct ContentionArgs {
    /// Orders that arrive per second.
    #[arg(long, value_delimiter = ',', default_value = "10,25,50,100,200,500,1000",
        value_parser = clap::value_parser!(u32).range(1..))]
    rates: Vec<u32>,

    /// How long a transaction locks its items, in milliseconds.
    #[arg(long, value_delimiter = ',', default_value = "10",
        value_parser = clap::value_parser!(u32).range(1..))]
    transaction: Vec<u32>,

    /// The number of items that the product's stock is spread over. In this shop it is one.
    #[arg(long, value_delimiter = ',', default_value = "1,16",
        value_parser = clap::value_parser!(u32).range(1..))]
    stock_items: Vec<u32>,

    /// The total number of orders.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    orders: u32,

    /// The same seed gives the same orders at the same times.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The parameters of a flash sale.
#[derive(Clone, Copy, Debug)]
struct Sale {
    /// The average number of orders that arrive per second.
    orders_per_second: f64,
    /// How long a transaction locks its items.
    transaction: Duration,
    /// The number of items that the product's stock is spread over; each order takes from one of
    /// them.
    stock_items: usize,
}

/// The result of a sale.
#[derive(Clone, Debug)]
struct Outcome {
    /// The share of the orders that were placed, 0 to 1. The others were answered with 503.
    placed: f64,
    /// Orders placed per second.
    placed_per_second: f64,
    /// Transactions attempted per order.
    tries: f64,
    /// How long the placed orders took from the first attempt to the answer, in milliseconds.
    milliseconds: Percentiles,
}

/// An order that waits for its next attempt.
struct Try {
    order: usize,
    stock_item: usize,
    arrived: Duration,
    pauses: Box<dyn Iterator<Item = Duration>>,
}

/// Simulates a sale of this many orders; the same seed gives the same orders.
fn simulate(sale: Sale, orders: usize, seed: u64) -> Outcome {
    assert!(sale.stock_items > 0 && sale.orders_per_second > 0.0, "a sale needs items and orders");
    // The jitter of the pauses is drawn from the thread's generator.
    fastrand::seed(seed);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut busy_until = vec![Duration::ZERO; sale.stock_items];
    let mut tries: Vec<Option<Try>> = Vec::with_capacity(orders);
    let mut due = BinaryHeap::new();
    let mut now = Duration::ZERO;
    for order in 0..orders {
        now += Duration::from_secs_f64(-(1.0 - random.f64()).ln() / sale.orders_per_second);
        let stock_item = random.usize(..sale.stock_items);
        let pauses = Box::new(conflict_pauses());
        due.push(Reverse((now, order)));
        tries.push(Some(Try { order, stock_item, arrived: now, pauses }));
    }

    let (mut tried, mut took, mut last) = (0_u32, Vec::with_capacity(orders), Duration::ZERO);
    while let Some(Reverse((now, order))) = due.pop() {
        let Some(mut current) = tries[order].take() else { continue };
        tried += 1;
        let busy_until = &mut busy_until[current.stock_item];
        // Placed or rejected, the answer comes after the time of a transaction.
        let answered = now + sale.transaction;
        if *busy_until <= now {
            *busy_until = answered;
            took.push(answered.saturating_sub(current.arrived).as_secs_f64() * 1_000.0);
            last = last.max(answered);
        } else if let Some(pause) = current.pauses.next() {
            due.push(Reverse((answered + pause, current.order)));
            tries[order] = Some(current);
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "nobody simulates 2^52 orders")]
    let [placed, orders] = [took.len() as f64, orders as f64];
    Outcome {
        placed: placed / orders,
        placed_per_second: if last.is_zero() { 0.0 } else { placed / last.as_secs_f64() },
        tries: f64::from(tried) / orders,
        milliseconds: Percentiles::of(took),
    }
}

/// Simulates each sale, and returns a table with a row for each.
pub(crate) fn table(args: &ContentionArgs) -> Table {
    let header = [
        "stock items",
        "transaction ms",
        "orders/s",
        "placed/s",
        "placed %",
        "tries",
        "p50 ms",
        "p90 ms",
        "p99 ms",
    ];
    let mut table = report::table(&header, 0);
    for &stock_items in &args.stock_items {
        for &milliseconds in &args.transaction {
            for &rate in &args.rates {
                let sale = Sale {
                    orders_per_second: f64::from(rate),
                    transaction: Duration::from_millis(milliseconds.into()),
                    stock_items: stock_items as usize,
                };
                let outcome = simulate(sale, args.orders as usize, args.seed);
                let Percentiles { p50, p90, p99 } = outcome.milliseconds;
                table.add_row([
                    stock_items.to_string(),
                    milliseconds.to_string(),
                    rate.to_string(),
                    format!("{:.0}", outcome.placed_per_second),
                    format!("{:.1}", outcome.placed * 100.0),
                    format!("{:.2}", outcome.tries),
                    format!("{p50:.0}"),
                    format!("{p90:.0}"),
                    format!("{p99:.0}"),
                ]);
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRANSACTION: Duration = Duration::from_millis(10);

    #[test]
    fn orders_without_contention_are_placed_at_the_first_attempt() {
        let sale = Sale { orders_per_second: 0.01, transaction: TRANSACTION, stock_items: 1 };
        let outcome = simulate(sale, 1_000, 1);
        assert_eq!((outcome.placed, outcome.tries), (1.0, 1.0));
        assert!((outcome.milliseconds.p99 - 10.0).abs() < 1e-6, "{outcome:?}");
    }

    #[test]
    fn a_rush_on_one_item_rejects_orders_that_many_items_can_take() {
        let rush = |stock_items| {
            let sale = Sale { orders_per_second: 500.0, transaction: TRANSACTION, stock_items };
            simulate(sale, 20_000, 1)
        };
        let (one, many) = (rush(1), rush(64));
        assert!(one.placed < 0.25 && one.tries > 5.0, "{one:?}");
        assert!(many.placed > 0.999 && many.tries < 1.2, "{many:?}");
    }

    proptest! {
        #[test]
        fn no_item_is_in_two_transactions_at_once(
            orders_per_second in 1.0..2_000.0_f64, stock_items in 1..8_usize, seed: u64,
        ) {
            let sale = Sale { orders_per_second, transaction: TRANSACTION, stock_items };
            let outcome = simulate(sale, 500, seed);
            #[allow(clippy::cast_precision_loss, reason = "at most eight")]
            let most = stock_items as f64 / TRANSACTION.as_secs_f64();
            prop_assert!(outcome.placed_per_second <= most * 1.000_001, "{outcome:?}");
            prop_assert!((0.0..=1.0).contains(&outcome.placed), "{outcome:?}");
            prop_assert!((1.0..=7.0).contains(&outcome.tries), "{outcome:?}");
        }
    }
}
