//! What came out.

pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod output;
pub(crate) mod table;
#[cfg(test)]
mod tests;

use serde::Serialize;
pub(crate) use storefront_report::{page, sheet, svg};

use crate::callgrind::Instructions;
use crate::machine::Machine;
use crate::measure::{Measured, Sample};
use crate::package::Size;
use crate::statistics::Percentiles;
use crate::subject::{Case, Kind, Plan};
use crate::targets::{self, Metric, Verdict, memory};

/// All figures of a run. Times are in milliseconds, memory is in megabytes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) rounds: u32,
    pub(crate) subjects: Vec<SubjectReport>,
    pub(crate) cases: Vec<CaseReport>,
    pub(crate) targets: Vec<Verdict>,
}

#[derive(Debug, Serialize)]
pub(crate) struct SubjectReport {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) size: Size,
}

/// One event of one program.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CaseReport {
    /// Index of the subject.
    pub(crate) subject: usize,
    pub(crate) name: String,
    pub(crate) operation: &'static str,
    pub(crate) init: Percentiles,
    pub(crate) first: Percentiles,
    /// Init and first invoke together.
    pub(crate) cold: Percentiles,
    pub(crate) cold_processor: Percentiles,
    pub(crate) warm: Percentiles,
    pub(crate) warm_processor: Percentiles,
    pub(crate) peak_memory: Percentiles,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) instructions: Option<Instructions>,
    /// Of each round.
    pub(crate) cold_samples: Vec<f64>,
}

impl Report {
    pub(crate) fn new(
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
}

impl CaseReport {
    /// What both reports show of a case, in the order of their columns.
    pub(crate) fn figures(&self) -> [f64; 9] {
        [
            self.init.p50,
            self.first.p50,
            self.cold.p50,
            self.cold_processor.p50,
            self.warm.p50,
            self.warm.p90,
            self.warm.p99,
            self.warm_processor.p50,
            self.peak_memory.p50,
        ]
    }

    /// What was measured of a case, over all rounds.
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
            cold_samples: samples.iter().map(|sample| sample.init + sample.first).collect(),
        }
    }
}
