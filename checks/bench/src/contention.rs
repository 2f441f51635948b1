//! How many orders of one product a second can be placed: a simulation, because tries that conflict
//! come back, and then conflict with those that are new.
//!
//! `DynamoDB` refuses a transaction on an item that another one is writing. The shop tries it again,
//! with the pauses of [`conflict_pauses`], and gives up after the last of them (503). Orders come
//! at random moments (a Poisson process), each for one piece of the product.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use clap::Parser;
use comfy_table::Table;
use storefront_core::conflict_pauses;

use crate::report;
use crate::statistics::Percentiles;

/// What is simulated; each combination is a line of the table.
#[derive(Debug, Parser)]
pub(crate) struct ContentionArgs {
    /// Orders that come each second.
    #[arg(long, value_delimiter = ',', default_value = "10,25,50,100,200,500,1000",
        value_parser = clap::value_parser!(u32).range(1..))]
    rates: Vec<u32>,

    /// How long a transaction keeps its items from others, in milliseconds.
    #[arg(long, value_delimiter = ',', default_value = "10",
        value_parser = clap::value_parser!(u32).range(1..))]
    transaction: Vec<u32>,

    /// Over how many items the product's stock is spread. In this shop it is one.
    #[arg(long, value_delimiter = ',', default_value = "1,16",
        value_parser = clap::value_parser!(u32).range(1..))]
    stock_items: Vec<u32>,

    /// How many orders come in all.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    orders: u32,

    /// The same seed is the same orders at the same moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What a flash sale is made of.
#[derive(Clone, Copy, Debug)]
struct Sale {
    /// How many orders come each second, on average.
    orders_per_second: f64,
    /// How long a transaction keeps its items from others.
    transaction: Duration,
    /// Over how many items the product's stock is spread; each order takes from one of them.
    stock_items: usize,
}

/// What came of a sale.
#[derive(Clone, Debug)]
struct Outcome {
    /// The share of the orders that were placed, 0 to 1. The others were answered 503.
    placed: f64,
    /// How many were placed each second.
    placed_per_second: f64,
    /// How often a transaction was tried for each order that came.
    tries: f64,
    /// How long the placed ones took from their first try to the answer, in milliseconds.
    milliseconds: Percentiles,
}

/// An order that is tried at its moment.
struct Try {
    order: usize,
    stock_item: usize,
    arrived: Duration,
    pauses: Box<dyn Iterator<Item = Duration>>,
}

/// Has so many orders come; the same ones for the same seed.
fn simulate(sale: Sale, orders: usize, seed: u64) -> Outcome {
    assert!(sale.stock_items > 0 && sale.orders_per_second > 0.0, "nothing is for sale");
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
        // Decided and answered a transaction's time later, either way.
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

/// A line for each sale.
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
    fn orders_that_never_meet_are_placed_at_the_first_try() {
        let sale = Sale { orders_per_second: 0.01, transaction: TRANSACTION, stock_items: 1 };
        let outcome = simulate(sale, 1_000, 1);
        assert_eq!((outcome.placed, outcome.tries), (1.0, 1.0));
        assert!((outcome.milliseconds.p99 - 10.0).abs() < 1e-6, "{outcome:?}");
    }

    #[test]
    fn a_sale_of_more_than_an_item_can_take_refuses_orders_and_more_items_take_them() {
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
