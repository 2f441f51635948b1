//! The report of the growth measurements.

use std::fmt;

use comfy_table::Table;
use serde::Serialize;
use storefront_core::capacity::Consumed;

use super::GrowthArgs;
use super::data::Data;
use super::fill::Growth;
use super::measure::Samples;
use super::pattern::{Pattern, Sample};
use crate::machine::Machine;
use crate::report::{millions, table};
use crate::statistics::{Percentiles, Ratio};

/// Lists whose pages must all cost the same.
const PAGES: [(&str, [Pattern; 3]); 2] = [
    (
        "products of a category, all pages",
        [Pattern::FirstProducts, Pattern::MiddleProducts, Pattern::LastProducts],
    ),
    (
        "orders of the largest customer, all pages",
        [Pattern::FirstOrders, Pattern::MiddleOrders, Pattern::LastOrders],
    ),
];

/// All figures of a run. Times are in milliseconds unless they say otherwise.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    rounds: u32,
    seed: u64,
    sizes: Vec<Size>,
    pub(super) patterns: Vec<PatternReport>,
    /// The costs that differ but must not.
    pub(super) differing: Vec<String>,
}

/// A table, after it was filled.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Size {
    orders: u32,
    orders_of_one: u32,
    users: u32,
    products: u32,
    /// The size of its file.
    bytes: u64,
    #[serde(flatten)]
    growth: Growth,
}

/// A pattern at each size.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PatternReport {
    name: &'static str,
    /// Over all sizes.
    cost: Cost,
    milliseconds: Vec<Percentiles>,
    /// The ratio of the median at the largest size to that at the smallest.
    ratio: Ratio,
}

/// The least and the most that any round consumed.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Cost {
    least: Consumed,
    most: Consumed,
}

impl Report {
    pub(super) fn new(args: &GrowthArgs, sizes: Vec<Size>, samples: &Samples) -> Self {
        let patterns = Pattern::ALL.iter().zip(samples);
        let patterns: Vec<_> =
            patterns.map(|(pattern, samples)| PatternReport::of(*pattern, samples)).collect();
        let pages = PAGES.map(|(name, pages)| {
            let is_page = |pattern: &Pattern| pages.contains(pattern);
            let of_pages = Pattern::ALL.iter().zip(samples).filter(|(pattern, _)| is_page(pattern));
            (name, Cost::of(of_pages.flat_map(|(_, sizes)| sizes).flatten()))
        });
        let costs = patterns.iter().map(|report| (report.name, report.cost)).chain(pages);
        let differing = costs.filter(|(_, cost)| !cost.is_always_the_same());
        Self {
            machine: Machine::this(false),
            rounds: args.rounds,
            seed: args.seed,
            sizes,
            differing: differing.map(|(name, cost)| format!("{name}: {cost}")).collect(),
            patterns,
        }
    }

    pub(super) fn text(&self) -> String {
        let same = self.patterns.iter().filter(|report| report.cost.is_always_the_same()).count();
        format!(
            "\n{}. Each table has its own file and process.\n{}\n\n\
             {} rounds; times in ms. The ratio is that of the medians, largest table to smallest.\n{}\n\n\
             {same} of {} patterns take the same requests and units at every size\n",
            self.machine,
            self.sizes(),
            self.rounds,
            self.patterns(),
            self.patterns.len()
        )
    }

    fn sizes(&self) -> Table {
        let header = [
            "orders",
            "of largest customer",
            "users",
            "products",
            "items",
            "filled in s",
            "items/s, at first",
            "at last",
            "MB",
            "bytes per order",
        ];
        let mut table = table(&header, 0);
        for Size { orders, orders_of_one, users, products, bytes, growth } in &self.sizes {
            let rates = [growth.rates.first(), growth.rates.last()];
            let [first, last] = rates.map(|rate| rate.map_or(0.0, |rate| rate.items_per_second));
            table.add_row([
                orders.to_string(),
                orders_of_one.to_string(),
                users.to_string(),
                products.to_string(),
                growth.items.to_string(),
                format!("{:.1}", growth.seconds),
                format!("{first:.0}"),
                format!("{last:.0}"),
                format!("{:.0}", millions(*bytes)),
                (bytes / u64::from(*orders)).to_string(),
            ]);
        }
        table
    }

    fn patterns(&self) -> Table {
        let mut header: Vec<_> = ["", "requests", "read", "write"].map(str::to_owned).into();
        for percentile in ["p50", "p99"] {
            let of = |size: &Size| format!("{percentile} at {}", size.orders);
            header.extend(self.sizes.iter().map(of));
        }
        header.extend(["ratio", "between"].map(str::to_owned));
        let mut table = table(&header.iter().map(String::as_str).collect::<Vec<_>>(), 1);
        for PatternReport { name, cost, milliseconds, ratio } in &self.patterns {
            let mut row = vec![(*name).to_owned()];
            row.extend(cost.columns());
            row.extend(milliseconds.iter().map(|time| format!("{:.2}", time.p50)));
            row.extend(milliseconds.iter().map(|time| format!("{:.2}", time.p99)));
            row.push(format!("{:.2}", ratio.value));
            row.push(format!("{:.2}–{:.2}", ratio.low, ratio.high));
            table.add_row(row);
        }
        table
    }
}

impl Size {
    pub(super) fn of(data: Data, growth: Growth, bytes: u64) -> Self {
        Self {
            orders: data.orders,
            orders_of_one: data.orders_of_one(),
            users: data.users,
            products: data.products,
            bytes,
            growth,
        }
    }
}

impl PatternReport {
    fn of(pattern: Pattern, sizes: &[Vec<Sample>]) -> Self {
        let all: Vec<_> = sizes.iter().map(|samples| times(samples)).collect();
        let [smallest, largest] =
            [all.first(), all.last()].map(|times| times.map_or(&[][..], Vec::as_slice));
        Self {
            name: pattern.name(),
            cost: Cost::of(sizes.iter().flatten()),
            ratio: Ratio::of_medians(largest, smallest),
            milliseconds: all.into_iter().map(Percentiles::of).collect(),
        }
    }
}

fn times(samples: &[Sample]) -> Vec<f64> {
    samples.iter().map(|sample| sample.milliseconds).collect()
}

impl Cost {
    pub(super) fn of<'a>(samples: impl IntoIterator<Item = &'a Sample>) -> Self {
        let mut all = samples.into_iter().map(|sample| sample.consumed);
        let first = all.next().unwrap_or_default();
        all.fold(Self { least: first, most: first }, |Self { least, most }, other| Self {
            least: Consumed {
                requests: least.requests.min(other.requests),
                read_units: least.read_units.min(other.read_units),
                write_units: least.write_units.min(other.write_units),
            },
            most: Consumed {
                requests: most.requests.max(other.requests),
                read_units: most.read_units.max(other.read_units),
                write_units: most.write_units.max(other.write_units),
            },
        })
    }

    /// Compares exactly, because no cost depends on time.
    pub(super) fn is_always_the_same(&self) -> bool {
        self.least == self.most
    }
}

/// Requests, read units, write units.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [requests, read, write] = self.columns();
        write!(f, "requests {requests}, read units {read}, write units {write}")
    }
}

impl Cost {
    /// Each cost as one figure, or as a range if it differs.
    fn columns(&self) -> [String; 3] {
        let Self { least, most } = self;
        [
            (least.requests.into(), most.requests.into()),
            (least.read_units, most.read_units),
            (least.write_units, most.write_units),
        ]
        .map(
            |(least, most): (f64, f64)| {
                if least < most { format!("{least} to {most}") } else { least.to_string() }
            },
        )
    }
}
