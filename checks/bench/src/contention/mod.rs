//! How many orders of one product can be placed per second. This is a simulation, because
//! conflicting attempts are retried, and then conflict with new ones.
//!
//! The order's side is the shop's own: [`storefront_core::Pick`] decides which stock item an order
//! takes from, and whether it hops, pauses or looks at all items; [`storefront_core::conflict_pauses`]
//! are the pauses. `order` puts them in the sequence of `crates/core/src/orders`.
//!
//! `DynamoDB`'s side is assumed:
//! - A transaction is decided when it arrives, and answered after a fixed time, rejected or not. Until
//!   then it locks its items, if it was not rejected. It is rejected if an item is locked.
//! - Each item has a partition of its own, which bears 1,000 write units and 3,000 read units a second.
//!   A rejected write consumes its two units as well. A write beyond the limit is throttled, which the
//!   shop retries like a conflict; a read beyond it waits.
//! - A read takes 5 ms.
//!
//! Orders arrive at random times (a Poisson process). Their other writes are in other partitions, and
//! conflict with nothing.

mod dynamodb;
mod order;
mod sale;
#[cfg(test)]
mod tests;

use std::time::Duration;

use clap::Parser;
use comfy_table::Table;
use storefront_core::MAX_SPREAD;

use self::sale::Sale;
use crate::report;
use crate::statistics::Percentiles;

/// More pieces in each item than all orders want.
const PLENTY: u64 = 1_000_000_000_000;

/// The simulated sales; each combination is a row of the table.
#[derive(Debug, Parser)]
pub(crate) struct ContentionArgs {
    /// Orders that arrive per second.
    #[arg(long, value_delimiter = ',', default_value = "50,100,200,500,1000,2000,4500,5000",
        value_parser = clap::value_parser!(u32).range(1..))]
    rates: Vec<u32>,

    /// How long a transaction locks its items, in milliseconds.
    #[arg(long, value_delimiter = ',', default_value = "10,20",
        value_parser = clap::value_parser!(u32).range(1..))]
    transaction: Vec<u32>,

    /// The number of items that the product's stock is spread over.
    #[arg(long, value_delimiter = ',', default_value = "1,4,16,64",
        value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_SPREAD)))]
    stock_items: Vec<u8>,

    /// The number of orders.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    orders: u32,

    /// The pieces that there are of the product. Without it, there are plenty.
    #[arg(long)]
    stock: Option<u64>,

    /// An order wants one piece, or up to so many, each number equally often.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=999))]
    pieces: u32,

    /// The same seed gives the same orders at the same times.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Simulates each sale, and returns a table with a row for each.
pub(crate) fn table(args: &ContentionArgs) -> Table {
    let header = [
        "stock items",
        "transaction ms",
        "orders/s",
        "placed/s",
        "placed %",
        "409 %",
        "503 %",
        "left",
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
                    orders: args.orders,
                    pieces: 1..=args.pieces,
                    transaction: Duration::from_millis(milliseconds.into()),
                    stock_items,
                    stock: args.stock.unwrap_or(PLENTY),
                };
                table.add_row(row(&sale, rate, args));
            }
        }
    }
    table
}

fn row(sale: &Sale, rate: u32, args: &ContentionArgs) -> Vec<String> {
    let outcome = sale.simulate(args.seed);
    let percent =
        |orders: u32| format!("{:.1}", f64::from(orders) / f64::from(sale.orders) * 100.0);
    let Percentiles { p50, p90, p99 } = outcome.milliseconds;
    vec![
        sale.stock_items.to_string(),
        sale.transaction.as_millis().to_string(),
        rate.to_string(),
        format!("{:.0}", outcome.placed_per_second),
        percent(outcome.placed),
        percent(outcome.refused),
        percent(outcome.gave_up),
        args.stock.map_or_else(String::new, |_| outcome.left.to_string()),
        format!("{:.2}", outcome.tries),
        format!("{p50:.0}"),
        format!("{p90:.0}"),
        format!("{p99:.0}"),
    ]
}
