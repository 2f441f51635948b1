//! What came out.

use serde::Serialize;

use super::{ConsumerArgs, Sample};
use crate::machine::Machine;
use crate::measure::milliseconds;
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
    /// Of the event bus.
    latency: f64,
    sizes: Vec<SizeReport>,
}

/// Batches of one size: medians over the rounds, but durations over all batches, and the most calls in
/// flight of all rounds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SizeReport {
    records: u32,
    batches: usize,
    records_per_second: f64,
    duration: Percentiles,
    /// Of a record.
    processor: f64,
    calls: f64,
    most_in_flight: u32,
    /// After the first tenth of the batches.
    early_memory: f64,
    peak_memory: f64,
    /// By how much a process grew between the two; the most of all rounds.
    growth: f64,
}

impl Report {
    pub(super) fn new(args: &ConsumerArgs, samples: &[Vec<Sample>]) -> Self {
        let sizes = args.batch_size.iter().zip(samples);
        Self {
            machine: Machine::this(false),
            rounds: args.rounds,
            latency: milliseconds(args.latency),
            sizes: sizes.map(|(&records, samples)| SizeReport::of(records, samples)).collect(),
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
                "Records a second",
                "Of one invocation after the other; a shard has as many at once as the event source \
                 mapping's ParallelizationFactor says.",
                &self.plot(|size| vec![size.records_per_second], 0),
            ),
            section(
                "Time of a batch, ms",
                "The median, and paler up to the 99th percentile.",
                &self
                    .plot(|size| vec![size.duration.p50, size.duration.p99 - size.duration.p50], 1),
            ),
            section(
                "Peak memory, MB",
                "After the first tenth of the batches, and paler what was added by the end.",
                &self.plot(|size| vec![size.early_memory, size.peak_memory - size.early_memory], 1),
            ),
            section("All figures", "", &self.sheet().html()),
        ];
        page("The stream's consumer", &[&escaped(&self.measured_on())], &body.concat())
    }

    fn measured_on(&self) -> String {
        format!(
            "{}. {} rounds; the event bus answers after {} ms at least; times in ms, memory in MB, \
             medians.",
            self.machine, self.rounds, self.latency
        )
    }

    fn sheet(&self) -> Sheet {
        let numbers = [
            "records",
            "batches",
            "records/s",
            "batch p50",
            "p99",
            "cpu/record",
            "PutEvents/batch",
            "most at once",
            "peak MB, first tenth",
            "at the end",
            "growth at most",
        ];
        let mut sheet = Sheet::new(&[], &numbers);
        for size in &self.sizes {
            sheet.add([
                size.records.to_string(),
                size.batches.to_string(),
                format!("{:.0}", size.records_per_second),
                format!("{:.1}", size.duration.p50),
                format!("{:.1}", size.duration.p99),
                format!("{:.3}", size.processor),
                format!("{:.1}", size.calls),
                size.most_in_flight.to_string(),
                format!("{:.1}", size.early_memory),
                format!("{:.1}", size.peak_memory),
                format!("{:.1}", size.growth),
            ]);
        }
        sheet
    }

    fn plot(&self, parts: impl Fn(&SizeReport) -> Vec<f64>, digits: usize) -> String {
        let label = |size: &SizeReport| format!("batches of {}", size.records);
        figures(self.sizes.iter().map(|size| (label(size), "function", parts(size))), digits)
    }
}

impl SizeReport {
    fn of(records: u32, samples: &[Sample]) -> Self {
        let of = |figure: &dyn Fn(&Sample) -> f64| median(samples.iter().map(figure).collect());
        let all = || samples.iter().flat_map(|sample| sample.durations.iter().copied());
        let per_second = |sample: &Sample| {
            let seconds = sample.durations.iter().sum::<f64>() / 1_000.0;
            #[allow(clippy::cast_precision_loss, reason = "nobody measures 2^52 batches")]
            let batches = sample.durations.len() as f64;
            batches * f64::from(records) / seconds
        };
        let growth = |sample: &Sample| {
            let [early, end] = sample.peak_memory.map(millions);
            end - early
        };
        Self {
            records,
            batches: all().count(),
            records_per_second: of(&per_second),
            duration: Percentiles::of(all().collect()),
            processor: of(&|sample| sample.processor),
            calls: of(&|sample| sample.calls),
            most_in_flight: samples.iter().map(|sample| sample.most_in_flight).max().unwrap_or(0),
            early_memory: of(&|sample| millions(sample.peak_memory[0])),
            peak_memory: of(&|sample| millions(sample.peak_memory[1])),
            growth: samples.iter().map(growth).fold(0.0, f64::max),
        }
    }
}
