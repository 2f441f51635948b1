//! What came out.

use serde::Serialize;

use super::{Case, ConcurrencyArgs, Sample};
use crate::machine::Machine;
use crate::measure::milliseconds;
use crate::report::page::{escaped, page, section};
use crate::report::sheet::Sheet;
use crate::report::svg::figures;
use crate::statistics::{Percentiles, Ratio, median};
use crate::targets::millions;

/// Times are in milliseconds, memory is in megabytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    rounds: u32,
    /// Of DynamoDB.
    latency: f64,
    cases: Vec<CaseReport>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CaseReport {
    function: &'static str,
    operation: &'static str,
    /// One at a time, and several at once.
    ways: [WayReport; 2],
    /// How many times as many invocations a second as one at a time.
    throughput: Ratio,
    /// How many times as much processor time for each.
    processor: Ratio,
}

/// Medians over the rounds; durations over all invocations.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WayReport {
    at_once: u32,
    per_second: f64,
    duration: Percentiles,
    processor: f64,
    /// To DynamoDB, for each invocation.
    requests: f64,
    peak_memory: f64,
}

impl Report {
    pub(super) fn new(
        args: &ConcurrencyArgs,
        cases: &[Case],
        samples: &[[Vec<Sample>; 2]],
    ) -> Self {
        let cases = cases.iter().zip(samples);
        Self {
            machine: Machine::this(false),
            rounds: args.rounds,
            latency: milliseconds(args.latency),
            cases: cases.map(|(case, samples)| CaseReport::of(case, samples)).collect(),
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
                "Invocations a second",
                "Of one process; with functions, services and benchmark on the same processors.",
                &self.plot(|way| way.per_second, 0),
            ),
            section(
                "Processor time of an invocation, ms",
                "What all threads of the function had, for each invocation.",
                &self.plot(|way| way.processor, 2),
            ),
            section("Peak memory, MB", "Resident.", &self.plot(|way| way.peak_memory, 1)),
            section(
                "All figures",
                "Medians over the rounds; times in ms, memory in MB. The ratios are to one at a time, \
                 between the bounds that hold the true one 19 times out of 20.",
                &self.sheet().html(),
            ),
        ];
        let legend = "<span class=\"legend hello\"></span>one at a time\
                      <span class=\"legend function\"></span>several at once";
        let measured_on = escaped(&self.measured_on());
        page("Several invocations at once", &[&measured_on, legend], &body.concat())
    }

    fn measured_on(&self) -> String {
        format!(
            "{}. {} rounds; DynamoDB answers after {} ms at least; times in ms, medians.",
            self.machine, self.rounds, self.latency
        )
    }

    fn sheet(&self) -> Sheet {
        let numbers = [
            "at once", "per s", "ratio", "p50", "p90", "p99", "cpu", "ratio", "requests", "peak MB",
        ];
        let mut sheet = Sheet::new(&["", "event"], &numbers);
        for case in &self.cases {
            for (at, way) in case.ways.iter().enumerate() {
                let ratio = |ratio: &Ratio| {
                    let Ratio { value, low, high } = ratio;
                    let text = format!("{value:.2} ({low:.2}–{high:.2})");
                    if at == 0 { String::new() } else { text }
                };
                let Percentiles { p50, p90, p99 } = way.duration;
                sheet.add([
                    case.function.to_owned(),
                    case.operation.to_owned(),
                    way.at_once.to_string(),
                    format!("{:.0}", way.per_second),
                    ratio(&case.throughput),
                    format!("{p50:.2}"),
                    format!("{p90:.2}"),
                    format!("{p99:.2}"),
                    format!("{:.2}", way.processor),
                    ratio(&case.processor),
                    format!("{:.2}", way.requests),
                    format!("{:.1}", way.peak_memory),
                ]);
            }
        }
        sheet
    }

    fn plot(&self, figure: impl Fn(&WayReport) -> f64, digits: usize) -> String {
        let all = self.cases.iter().flat_map(|case| case.ways.iter().map(move |way| (case, way)));
        let rows = all.map(|(case, way)| {
            let label = format!("{}: {}, {}", case.function, case.operation, way.at_once);
            (label, if way.at_once == 1 { "hello" } else { "function" }, vec![figure(way)])
        });
        figures(rows, digits)
    }
}

impl CaseReport {
    fn of(case: &Case, samples: &[Vec<Sample>; 2]) -> Self {
        let ratio = |figure: fn(&Sample) -> f64| {
            let [one, several] =
                [0, 1].map(|way| samples[way].iter().map(figure).collect::<Vec<_>>());
            Ratio::of_medians(&several, &one)
        };
        Self {
            function: case.operation.function,
            operation: case.operation.name,
            ways: [0, 1].map(|way| WayReport::of(case.ways[way].at_once, &samples[way])),
            throughput: ratio(|sample| sample.per_second),
            processor: ratio(|sample| sample.processor),
        }
    }
}

impl WayReport {
    fn of(at_once: u32, samples: &[Sample]) -> Self {
        let of = |figure: fn(&Sample) -> f64| median(samples.iter().map(figure).collect());
        let durations = samples.iter().flat_map(|sample| sample.durations.iter().copied());
        Self {
            at_once,
            per_second: of(|sample| sample.per_second),
            duration: Percentiles::of(durations.collect()),
            processor: of(|sample| sample.processor),
            requests: of(|sample| sample.requests),
            peak_memory: of(|sample| millions(sample.peak_memory)),
        }
    }
}
