//! A sale of one product: orders that arrive at random times.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::RangeInclusive;
use std::time::Duration;

use fastrand::Rng;

use super::dynamodb::Items;
use super::order::{Order, Progress};
use crate::statistics::Percentiles;

/// The parameters of a sale.
#[derive(Clone, Debug)]
pub(super) struct Sale {
    /// The average number of orders that arrive per second.
    pub(super) orders_per_second: f64,
    pub(super) orders: u32,
    /// The pieces that an order may want, each number equally often.
    pub(super) pieces: RangeInclusive<u32>,
    /// How long a transaction locks its items.
    pub(super) transaction: Duration,
    /// The number of items that the product's stock is spread over.
    pub(super) stock_items: u8,
    /// The pieces in all items.
    pub(super) stock: u64,
}

/// The result of a sale.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    /// Orders that were placed.
    pub(super) placed: u32,
    /// Orders placed per second until the last one arrives.
    pub(super) placed_per_second: f64,
    /// Orders that were answered with 409, because there were not enough pieces.
    pub(super) refused: u32,
    /// Orders that were answered with 503.
    pub(super) gave_up: u32,
    /// The pieces in all orders that were placed.
    pub(super) sold: u64,
    /// The pieces in all items, in the end.
    pub(super) left: u64,
    /// Transactions tried per order.
    pub(super) tries: f64,
    /// Stock items read because of shortages, per order.
    pub(super) reads: f64,
    /// How long the placed orders took, in milliseconds.
    pub(super) milliseconds: Percentiles,
}

impl Sale {
    /// Simulates it; the same seed gives the same sale.
    pub(super) fn simulate(&self, seed: u64) -> Outcome {
        // The jitter of the pauses is drawn from the thread's generator.
        fastrand::seed(seed);
        let mut items = Items::new(self.split(), self.transaction);
        let mut orders = self.orders(&mut Rng::with_seed(seed));
        let mut due: BinaryHeap<_> = orders
            .iter()
            .enumerate()
            .map(|(at, (order, _))| Reverse((order.arrived, at)))
            .collect();
        let end = orders.last().map_or(Duration::ZERO, |(order, _)| order.arrived);
        let (mut took, mut in_time) = (Vec::with_capacity(orders.len()), 0_u32);
        let (mut refused, mut gave_up, mut sold) = (0, 0, 0);
        while let Some(Reverse((now, at))) = due.pop() {
            let (order, pieces) = &mut orders[at];
            let (progress, answered) = order.step(now, &mut items);
            match progress {
                Progress::Next => due.push(Reverse((answered, at))),
                Progress::Placed => {
                    took.push(answered.saturating_sub(order.arrived).as_secs_f64() * 1_000.0);
                    in_time += u32::from(answered <= end);
                    sold += u64::from(*pieces);
                }
                Progress::Refused => refused += 1,
                Progress::GaveUp => gave_up += 1,
            }
        }
        let per_order = |count: fn(&Order) -> u32| {
            let sum: f64 = orders.iter().map(|(order, _)| f64::from(count(order))).sum();
            sum / f64::from(self.orders)
        };
        Outcome {
            placed: self.orders - refused - gave_up,
            placed_per_second: f64::from(in_time) / end.as_secs_f64(),
            refused,
            gave_up,
            sold,
            left: items.left(),
            tries: per_order(|order| order.tries),
            reads: per_order(|order| order.reads),
            milliseconds: Percentiles::of(took),
        }
    }

    /// Splits the stock equally, as the shop does.
    fn split(&self) -> impl Iterator<Item = u64> {
        let items = u64::from(self.stock_items);
        let (each, rest) = (self.stock / items, self.stock % items);
        (0..items).map(move |number| each + u64::from(number < rest))
    }

    /// The orders and their pieces. They arrive independently: a Poisson process.
    fn orders(&self, random: &mut Rng) -> Vec<(Order, u32)> {
        let mut arrived = Duration::ZERO;
        let order = |_| {
            arrived += Duration::from_secs_f64(-(1.0 - random.f64()).ln() / self.orders_per_second);
            let pieces = random.u32(self.pieces.clone());
            (Order::new(arrived, pieces, self.stock_items, random.fork()), pieces)
        };
        (0..self.orders).map(order).collect()
    }
}
