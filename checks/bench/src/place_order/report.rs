//! What came out.

use serde::Serialize;
use storefront_core::capacity::Consumed;

use super::order::Kind;
use super::{PlaceOrderArgs, Sample};
use crate::machine::Machine;
use crate::report::page::{escaped, page, section};
use crate::report::sheet::Sheet;
use crate::report::svg::figures;
use crate::statistics::{Percentiles, median};
use crate::targets::millions;

/// Times are in milliseconds, memory is in megabytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    rounds: u32,
    /// Of each process.
    orders: u32,
    kinds: Vec<KindReport>,
}

/// Medians over the rounds, but durations over all orders.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct KindReport {
    #[serde(flatten)]
    kind: Kind,
    cost: Consumed,
    duration: Percentiles,
    /// Of an order.
    processor: f64,
    peak_memory: f64,
}

impl Report {
    pub(super) fn new(args: &PlaceOrderArgs, kinds: &[Kind], samples: &[Vec<Sample>]) -> Self {
        let kinds = kinds.iter().zip(samples);
        Self {
            machine: Machine::this(false),
            rounds: args.rounds,
            orders: args.orders,
            kinds: kinds.map(|(&kind, samples)| KindReport::of(kind, samples)).collect(),
        }
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        format!("\n{}\n{}\n", self.measured_on(), self.sheet().text())
    }

    /// For people: one page, with nothing from elsewhere.
    pub(super) fn page(&self) -> String {
        let body = [
            section(
                "Time of an order, ms",
                "The median, and paler up to the 99th percentile. Most of it is the embedded table's.",
                &self
                    .plot(|kind| vec![kind.duration.p50, kind.duration.p99 - kind.duration.p50], 1),
            ),
            section(
                "Processor time of an order, ms",
                "What the function itself had.",
                &self.plot(|kind| vec![kind.processor], 2),
            ),
            section(
                "Write units of an order",
                "As DynamoDB reports them.",
                &self.plot(|kind| vec![kind.cost.write_units], 0),
            ),
            section("All figures", "", &self.sheet().html()),
        ];
        page("Placing an order", &[&escaped(&self.measured_on())], &body.concat())
    }

    fn measured_on(&self) -> String {
        format!(
            "{}. {} rounds of {} orders; times in ms, medians.",
            self.machine, self.rounds, self.orders
        )
    }

    fn sheet(&self) -> Sheet {
        let numbers =
            ["requests", "read units", "write units", "p50", "p90", "p99", "cpu", "peak MB"];
        let mut sheet = Sheet::new(&["order"], &numbers);
        for kind in &self.kinds {
            let Percentiles { p50, p90, p99 } = kind.duration;
            sheet.add([
                kind.kind.to_string(),
                kind.cost.requests.to_string(),
                kind.cost.read_units.to_string(),
                kind.cost.write_units.to_string(),
                format!("{p50:.2}"),
                format!("{p90:.2}"),
                format!("{p99:.2}"),
                format!("{:.2}", kind.processor),
                format!("{:.1}", kind.peak_memory),
            ]);
        }
        sheet
    }

    fn plot(&self, parts: impl Fn(&KindReport) -> Vec<f64>, digits: usize) -> String {
        let class = |kind: Kind| if kind.key { "get-item" } else { "function" };
        let rows = self.kinds.iter().map(|it| (it.kind.to_string(), class(it.kind), parts(it)));
        figures(rows, digits)
    }
}

impl KindReport {
    fn of(kind: Kind, samples: &[Sample]) -> Self {
        let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure).collect());
        let durations = samples.iter().flat_map(|sample| sample.durations.iter().copied());
        Self {
            kind,
            cost: kind.cost(),
            duration: Percentiles::of(durations.collect()),
            processor: of(|sample| sample.processor),
            peak_memory: of(|sample| millions(sample.peak_memory)),
        }
    }
}
