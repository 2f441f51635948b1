//! The report of the functions' measurements.

use std::fmt::Write as _;

use comfy_table::Table;
use serde::Serialize;

use crate::callgrind::Instructions;
use crate::machine::Machine;
use crate::measure::{Measured, Sample};
use crate::package::Size;
use crate::report::{millions, table};
use crate::statistics::Percentiles;
use crate::subject::{Case, Kind, Plan};
use crate::targets::{self, Limit, Metric, Verdict, memory};

/// All figures of a run. Times are in milliseconds, memory is in megabytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    machine: Machine,
    rounds: u32,
    subjects: Vec<SubjectReport>,
    cases: Vec<CaseReport>,
    targets: Vec<Verdict>,
}

#[derive(Debug, Serialize)]
struct SubjectReport {
    name: String,
    kind: Kind,
    size: Size,
}

/// The figures of one event of one program.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CaseReport {
    /// Index of the subject.
    subject: usize,
    name: String,
    operation: &'static str,
    init: Percentiles,
    first: Percentiles,
    /// Init and first invoke together.
    cold: Percentiles,
    cold_processor: Percentiles,
    warm: Percentiles,
    warm_processor: Percentiles,
    peak_memory: Percentiles,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<Instructions>,
}

impl Report {
    pub(super) fn new(
        plan: &Plan,
        measured: &Measured,
        instructions: Option<&Vec<Option<Instructions>>>,
        rounds: u32,
    ) -> Self {
        let has_node = plan.subjects.iter().any(|subject| subject.kind == Kind::Node);
        let subjects = plan.subjects.iter().map(|subject| SubjectReport {
            name: subject.name.clone(),
            kind: subject.kind,
            size: subject.size,
        });
        let cases = plan.cases.iter().zip(measured).enumerate();
        let cases = cases.map(|(at, (case, samples))| {
            CaseReport::of(plan, case, samples, instructions.and_then(|counted| counted[at]))
        });
        Self {
            machine: Machine::this(has_node),
            rounds,
            subjects: subjects.collect(),
            cases: cases.collect(),
            targets: targets::verdicts(plan, measured),
        }
    }

    pub(super) fn text(&self) -> String {
        let missed = self.targets.iter().filter(|target| !target.met).count();
        let mut text = String::new();
        let _ = writeln!(
            text,
            "\n{}. {} rounds; times in ms, medians.\n{}",
            self.machine,
            self.rounds,
            self.cases()
        );
        let _ = writeln!(text, "\nTargets, between 95 % confidence bounds\n{}", self.targets());
        let _ = writeln!(text, "{} of {} met", self.targets.len() - missed, self.targets.len());
        text
    }

    fn cases(&self) -> Table {
        let mut header = vec![
            "",
            "event",
            "init",
            "first",
            "both",
            "cpu cold",
            "warm p50",
            "p90",
            "p99",
            "cpu warm",
            "peak MB",
            "binary MB",
            "zip MB",
        ];
        let counted = self.cases.iter().any(|case| case.instructions.is_some());
        if counted {
            header.extend(["M instr. cold", "warm"]);
        }
        let mut table = table(&header, 2);
        for case in &self.cases {
            let size = self.subjects[case.subject].size;
            let mut row = vec![case.name.clone(), case.operation.to_owned()];
            let times = [
                case.init.p50,
                case.first.p50,
                case.cold.p50,
                case.cold_processor.p50,
                case.warm.p50,
                case.warm.p90,
                case.warm.p99,
                case.warm_processor.p50,
            ];
            row.extend(times.map(|time| format!("{time:.2}")));
            row.push(format!("{:.1}", case.peak_memory.p50));
            row.extend(
                [size.bytes, size.zipped_bytes].map(|size| format!("{:.2}", millions(size))),
            );
            if counted {
                let instructions = case.instructions.map(|counted| [counted.cold, counted.warm]);
                let cells = instructions.map(|both| both.map(|n| format!("{:.2}", millions(n))));
                row.extend(cells.unwrap_or_default());
            }
            table.add_row(row);
        }
        table
    }

    fn targets(&self) -> Table {
        let mut table = table(&["target", "", "event", "", "", "limit", ""], 3);
        for verdict in &self.targets {
            let limit = match verdict.limit {
                Limit::AtMost(limit) => format!("≤ {limit}"),
                Limit::AtLeast(limit) => format!("≥ {limit}"),
            };
            let ratio = verdict.ratio;
            let between = match verdict.operation {
                Some(_) => format!("{:.2}–{:.2}", ratio.low, ratio.high),
                None => String::new(),
            };
            table.add_row(vec![
                verdict.what.to_owned(),
                verdict.subject.clone(),
                verdict.operation.unwrap_or_default().to_owned(),
                format!("{:.2}", ratio.value),
                between,
                limit,
                (if verdict.met { "met" } else { "MISSED" }).to_owned(),
            ]);
        }
        table
    }
}

impl CaseReport {
    /// Summarises the measurements of a case over all rounds.
    fn of(
        plan: &Plan,
        case: &Case,
        samples: &[Sample],
        instructions: Option<Instructions>,
    ) -> Self {
        let all = |metric: Metric| Percentiles::of(samples.iter().map(metric).collect());
        let warm = samples.iter().flat_map(|sample| sample.warm.iter().copied()).collect();
        Self {
            subject: case.subject,
            name: plan.subjects[case.subject].name.clone(),
            operation: case.operation.name,
            init: all(|sample| sample.init),
            first: all(|sample| sample.first),
            cold: all(|sample| sample.init + sample.first),
            cold_processor: all(|sample| sample.cold_processor),
            warm: Percentiles::of(warm),
            warm_processor: all(|sample| sample.warm_processor),
            peak_memory: all(memory),
            instructions,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::Output;
    use crate::statistics::Ratio;

    fn report() -> Report {
        let size = Size { bytes: 7_000_000, zipped_bytes: 2_900_000 };
        let always = |value| Percentiles { p50: value, p90: value, p99: value };
        let case = |subject, name: &str, cold| CaseReport {
            subject,
            name: name.to_owned(),
            operation: "get user",
            init: always(cold / 2.0),
            first: always(cold / 2.0),
            cold: always(cold),
            cold_processor: always(3.0),
            warm: always(0.8),
            warm_processor: always(0.3),
            peak_memory: always(9.0),
            instructions: (subject == 0).then_some(Instructions { cold: 6_400_000, warm: 740_000 }),
        };
        let subject = |name: &str, kind| SubjectReport { name: name.to_owned(), kind, size };
        let target = |what, value, met| Verdict {
            what,
            subject: "users".to_owned(),
            operation: Some("get user"),
            ratio: Ratio { value, low: value, high: value },
            limit: Limit::AtMost(1.2),
            met,
        };
        Report {
            machine: Machine {
                processor: "A <fast> one".to_owned(),
                cores: 2,
                system: "linux".to_owned(),
                rust: "rustc".to_owned(),
                node: None,
            },
            rounds: 1,
            subjects: vec![subject("users", Kind::Function), subject("floor-node", Kind::Node)],
            cases: vec![case(0, "users", 6.0), case(1, "floor-node", 150.0)],
            targets: vec![target("target one", 1.1, true), target("target two", 1.3, false)],
        }
    }

    #[test]
    fn the_table_says_which_targets_are_met() {
        let table = report().text();
        let line = |what: &str| table.lines().find(|line| line.contains(what)).unwrap();
        assert!(line("target one").ends_with("met |"), "{table}");
        assert!(line("target two").ends_with("MISSED |"), "{table}");
        assert!(table.ends_with("1 of 2 met\n"), "{table}");
    }

    #[test]
    fn the_figures_are_written_as_json_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        Output { json: Some(path.clone()) }.write("", &report()).unwrap();
        let json: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(json["cases"][0]["cold"]["p50"], 6.0);
        assert_eq!(json["cases"][0]["instructions"]["warm"], 740_000);
        assert_eq!(json["targets"][1]["limit"]["atMost"], 1.2);
        assert_eq!(json["subjects"][1]["kind"], "node");
    }
}
