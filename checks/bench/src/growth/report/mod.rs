//! What came out.

pub(crate) mod html;
pub(crate) mod table;

use std::fmt;

use serde::Serialize;
use storefront_core::capacity::Consumed;

use super::GrowthArgs;
use super::data::Data;
use super::fill::Growth;
use super::measure::Samples;
use super::pattern::{Group, Pattern, Sample};
use crate::machine::Machine;
use crate::statistics::{Percentiles, Ratio};

/// All figures of a run. Times are in milliseconds unless they say otherwise.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rounds: u32,
    pub(crate) seed: u64,
    pub(crate) sizes: Vec<Size>,
    pub(crate) patterns: Vec<PatternReport>,
    pub(crate) pages: Vec<Pages>,
}

/// A table, after it was filled.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Size {
    pub(crate) orders: u32,
    pub(crate) orders_of_one: u32,
    pub(crate) users: u32,
    pub(crate) products: u32,
    /// Of its file.
    pub(crate) bytes: u64,
    #[serde(flatten)]
    pub(crate) growth: Growth,
}

/// A pattern, at each size.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PatternReport {
    #[serde(skip)]
    pub(crate) pattern: Pattern,
    pub(crate) name: &'static str,
    /// At whichever size.
    pub(crate) cost: Cost,
    pub(crate) milliseconds: Vec<Percentiles>,
    /// The median at the largest size to that at the smallest.
    pub(crate) ratio: Ratio,
}

/// Pages of a list, at all sizes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Pages {
    pub(crate) of: &'static str,
    pub(crate) cost: Cost,
    /// The median of the last page to that of the first, at the largest size.
    pub(crate) ratio: Ratio,
}

/// The least and the most that was taken, in any round.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cost {
    pub(crate) least: Consumed,
    pub(crate) most: Consumed,
}

impl Report {
    pub(crate) fn new(args: &GrowthArgs, sizes: Vec<Size>, samples: &Samples) -> Self {
        let of = |pattern| {
            let position = Pattern::ALL.iter().position(|other| *other == pattern);
            samples[position.unwrap_or_default()].as_slice()
        };
        Self {
            machine: Machine::this(false),
            rounds: args.rounds,
            seed: args.seed,
            sizes,
            patterns: Pattern::ALL.map(|pattern| PatternReport::of(pattern, of(pattern))).into(),
            pages: [
                (
                    "products of a category, all pages",
                    Pattern::FirstProducts,
                    Pattern::MiddleProducts,
                    Pattern::LastProducts,
                ),
                (
                    "orders of the largest customer, all pages",
                    Pattern::FirstOrders,
                    Pattern::MiddleOrders,
                    Pattern::LastOrders,
                ),
            ]
            .map(|(name, first, middle, last)| Pages::of(name, [first, middle, last].map(of)))
            .into(),
        }
    }

    /// What is not the same where it must be.
    pub(crate) fn differing(&self) -> Vec<String> {
        let patterns = self.patterns.iter().map(|report| (report.name, &report.cost));
        let pages = self.pages.iter().map(|pages| (pages.of, &pages.cost));
        patterns
            .chain(pages)
            .filter(|(_, cost)| !cost.is_always_the_same())
            .map(|(name, cost)| format!("{name}: {cost}"))
            .collect()
    }

    /// The patterns of a group.
    pub(crate) fn group(&self, group: Group) -> impl Iterator<Item = &PatternReport> {
        self.patterns.iter().filter(move |report| report.pattern.group() == group)
    }
}

impl Size {
    pub(crate) fn of(data: Data, growth: Growth, bytes: u64) -> Self {
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
            pattern,
            name: pattern.name(),
            cost: Cost::of(sizes.iter().flatten()),
            ratio: Ratio::of_medians(largest, smallest),
            milliseconds: all.into_iter().map(Percentiles::of).collect(),
        }
    }
}

impl Pages {
    fn of(of: &'static str, pages: [&[Vec<Sample>]; 3]) -> Self {
        let at_largest = |page: &[Vec<Sample>]| times(page.last().map_or(&[], Vec::as_slice));
        let [first, _, last] = pages;
        Self {
            of,
            cost: Cost::of(pages.into_iter().flatten().flatten()),
            ratio: Ratio::of_medians(&at_largest(last), &at_largest(first)),
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

    /// Exactly: nothing of it depends on time.
    pub(crate) fn is_always_the_same(&self) -> bool {
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
    /// Each as a figure, or from the least to the most.
    pub(crate) fn columns(&self) -> [String; 3] {
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
