//! The report of the consumer's measurements.

use comfy_table::Table;
use serde::Serialize;

use super::{ConsumerArgs, Sample};
use crate::machine::Machine;
use crate::report::{millions, table};
use crate::statistics::{Percentiles, median};

/// Times are in milliseconds, memory is in megabytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    rounds: u32,
    /// The latency of the event bus.
    latency: u64,
    sizes: Vec<SizeReport>,
}

/// Batches of one size: medians over the rounds, except that durations are over all batches, and
/// the most calls in flight over all rounds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SizeReport {
    records: u32,
    batches: usize,
    records_per_second: f64,
    duration: Percentiles,
    /// Processor time per record.
    processor: f64,
    calls: f64,
    most_in_flight: u32,
    /// After the first tenth of the batches.
    early_memory: f64,
    peak_memory: f64,
    /// How much a process grew between the two; the maximum over all rounds.
    growth: f64,
}

impl Report {
    pub(super) fn new(args: &ConsumerArgs, samples: &[Vec<Sample>]) -> Self {
        let sizes = args.batch_size.iter().zip(samples);
        Self {
            machine: Machine::this(false),
            rounds: args.rounds,
            latency: args.latency,
            sizes: sizes.map(|(&records, samples)| SizeReport::of(records, samples)).collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        format!(
            "\n{}. {} rounds; the event bus takes at least {} ms; times in ms, memory in MB, \
             medians.\n{}\n",
            self.machine,
            self.rounds,
            self.latency,
            self.sizes()
        )
    }

    fn sizes(&self) -> Table {
        let header = [
            "records",
            "batches",
            "records/s",
            "batch p50",
            "p99",
            "cpu/record",
            "PutEvents/batch",
            "max in flight",
            "peak MB, first tenth",
            "at the end",
            "max growth",
        ];
        let mut table = table(&header, 0);
        for size in &self.sizes {
            table.add_row([
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
        table
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
