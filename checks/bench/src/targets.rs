//! The targets for the functions. Except for sizes, each is a ratio to another measurement of the
//! same rounds, so that it applies on any machine.

use serde::Serialize;

use crate::measure::{Measured, Sample};
use crate::report::millions;
use crate::statistics::{Ratio, median};
use crate::subject::{Case, Kind, Plan, Subject};

/// The maximum size of a zip, in bytes. Code that hashes passwords takes some more.
const ZIP: u64 = 3_000_000;
const ZIP_OF_AUTH: u64 = 3_500_000;

/// The operations with a target for warm invocations.
const WARM: [&str; 3] = ["get user", "find user by e-mail", "list 25 orders"];

/// A target and its result.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Verdict {
    pub(crate) what: &'static str,
    pub(crate) subject: String,
    /// `None` if the target does not depend on the operation.
    pub(crate) operation: Option<&'static str>,
    pub(crate) ratio: Ratio,
    pub(crate) limit: Limit,
    pub(crate) met: bool,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

impl Limit {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

/// One figure of a sample.
pub(crate) type Metric = fn(&Sample) -> f64;

/// The metrics that are compared with the floor: name, maximum ratio, metric, and operations
/// (`None` for all). The maximum leaves a tenth of the floor above what was measured, so that a run
/// with other work on the machine does not miss it; `docs/performance.md` has both.
const TO_FLOOR: [(&str, f64, Metric, Option<&[&str]>); 4] = [
    ("init + first invoke / floor", 1.25, |sample| sample.init + sample.first, None),
    ("processor time of a cold start / floor", 1.25, |sample| sample.cold_processor, None),
    ("warm p50 / floor", 1.25, |sample| median(sample.warm.clone()), Some(&WARM)),
    ("peak memory / floor", 1.2, |sample| memory(sample), None),
];

pub(crate) fn verdicts(plan: &Plan, measured: &Measured) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for (what, limit, metric, events) in TO_FLOOR {
        for (case, ours, floor) in pairs(plan, measured, Kind::GetItem) {
            if events.is_some_and(|events| !events.contains(&case.operation.name)) {
                continue;
            }
            let ratio = ratio(ours, floor, metric);
            verdicts.push(verdict(plan, what, case, ratio, Limit::AtMost(limit)));
        }
    }
    for (case, ours, node) in pairs(plan, measured, Kind::Node) {
        let ratio = ratio(node, ours, |sample| sample.init + sample.first);
        let what = "init + first invoke of Node.js / ours";
        verdicts.push(verdict(plan, what, case, ratio, Limit::AtLeast(20.0)));
    }
    let functions = plan.subjects.iter().filter(|subject| subject.kind == Kind::Function);
    verdicts.extend(functions.map(zip));
    verdicts
}

fn verdict(plan: &Plan, what: &'static str, case: &Case, ratio: Ratio, limit: Limit) -> Verdict {
    Verdict {
        what,
        subject: plan.subjects[case.subject].name.clone(),
        operation: Some(case.operation.name),
        ratio,
        limit,
        met: limit.is_met_by(ratio.value),
    }
}

/// The largest zip that a function may have, in bytes.
pub(crate) fn zip_limit(function: &str) -> u64 {
    if function == "auth" { ZIP_OF_AUTH } else { ZIP }
}

fn zip(subject: &Subject) -> Verdict {
    let [size, most] = [subject.size.zipped_bytes, zip_limit(&subject.name)].map(millions);
    Verdict {
        what: "zip, MB",
        subject: subject.name.clone(),
        operation: None,
        ratio: Ratio { value: size, low: size, high: size },
        limit: Limit::AtMost(most),
        met: size <= most,
    }
}

/// Each case of a function that a subject of this kind has as well, with the samples of both.
fn pairs<'a>(
    plan: &'a Plan,
    measured: &'a Measured,
    kind: Kind,
) -> impl Iterator<Item = (&'a Case, &'a [Sample], &'a [Sample])> {
    let all = move || plan.cases.iter().zip(measured);
    let kind_of = |case: &Case| plan.subjects[case.subject].kind;
    let ours =
        all().filter(move |(case, _)| case.operation.comparable && kind_of(case) == Kind::Function);
    ours.filter_map(move |(case, ours)| {
        let is_other =
            |other: &Case| kind_of(other) == kind && other.operation.name == case.operation.name;
        let (_, theirs) = all().find(|(other, _)| is_other(other))?;
        Some((case, ours.as_slice(), theirs.as_slice()))
    })
}

fn ratio(ours: &[Sample], theirs: &[Sample], metric: Metric) -> Ratio {
    let values = |samples: &[Sample]| samples.iter().map(metric).collect::<Vec<_>>();
    Ratio::of_medians(&values(ours), &values(theirs))
}

/// In millions.
pub(crate) fn memory(sample: &Sample) -> f64 {
    millions(sample.peak_memory)
}
