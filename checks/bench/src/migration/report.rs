//! What came out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Sample;
use crate::machine::Machine;
use crate::report::page::{escaped, page, section};
use crate::report::sheet::Sheet;
use crate::report::svg::{Line, lines};
use crate::report::table::thousands;
use crate::targets::millions;

/// All figures of a run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    loads: Vec<Sample>,
}

impl Report {
    pub(super) fn new(loads: Vec<Sample>) -> Self {
        Self { machine: Machine::this(false), loads }
    }

    /// For a terminal.
    pub(super) fn text(&self) -> String {
        format!("\n{}\n{}\n", self.measured_on(), self.sheet().text())
    }

    /// For people: one page, with nothing from elsewhere.
    pub(super) fn page(&self) -> String {
        let body = [
            section(
                "Rows a second",
                "Users, products, orders and their items, over the orders in the source. From the start of \
                 the process to its end, so the smallest shops pay for that most. The embedded table takes \
                 one batch at a time; DynamoDB takes as many as it has capacity for.",
                &self.plot(Sample::rows_per_second),
            ),
            section(
                "Peak memory, MB",
                "Of the loading process.",
                &self.plot(|sample| millions(sample.peak_memory)),
            ),
            section(
                "Processor time, µs a row",
                "Of the loading process. Other work on the machine does not count.",
                &self.plot(Sample::processor_per_row),
            ),
            section("All figures", "", &self.sheet().html()),
        ];
        page("What a load takes", &[&escaped(&self.measured_on())], &body.concat())
    }

    fn measured_on(&self) -> String {
        format!("{}. Source, loader and table share the machine.", self.machine)
    }

    fn sheet(&self) -> Sheet {
        let numbers =
            ["orders", "rows", "items", "s", "rows/s", "items/s", "cpu µs/row", "peak MB"];
        let mut sheet = Sheet::new(&["from", "into"], &numbers);
        for sample in &self.loads {
            sheet.add([
                sample.source.to_owned(),
                sample.target.name().to_owned(),
                thousands(sample.orders.into()),
                thousands(sample.rows),
                thousands(sample.items),
                format!("{:.1}", sample.seconds),
                format!("{:.0}", sample.rows_per_second()),
                format!("{:.0}", sample.items_per_second()),
                format!("{:.1}", sample.processor_per_row()),
                format!("{:.1}", millions(sample.peak_memory)),
            ]);
        }
        sheet
    }

    fn plot(&self, figure: impl Fn(&Sample) -> f64) -> String {
        let mut points: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for sample in &self.loads {
            let point = (f64::from(sample.orders), figure(sample));
            points.entry((sample.target, sample.source)).or_default().push(point);
        }
        let all: Vec<_> = points
            .into_iter()
            .map(|((target, source), points)| Line {
                label: format!("{source} into {}", target.name()),
                points,
            })
            .collect();
        let orders: BTreeSet<_> = self.loads.iter().map(|sample| sample.orders).collect();
        let ticks = orders.into_iter().map(|orders| (f64::from(orders), thousands(orders.into())));
        let plot = lines(&all, &ticks.collect::<Vec<_>>());
        format!("<div class=\"panels\"><div>{plot}</div></div>")
    }
}
