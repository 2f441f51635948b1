//! For people: one page, with nothing from elsewhere.

use std::fmt::Write as _;

use super::page::{self, cells, escaped, section};
use super::svg::{Bar, Interval, bars, intervals};
use super::{CaseReport, Report};
use crate::callgrind::Instructions;
use crate::subject::Kind;
use crate::targets::{Limit, Verdict, millions};

/// What only Node.js takes longer than is cut at this many times of the slowest read in Rust.
const ROOM: f64 = 1.6;

pub(crate) fn render(report: &Report) -> String {
    let measured_on = format!("{}. {} rounds.", report.machine, report.rounds);
    let body = [
        section(
            "Cold start",
            "From the start of the process to the answer of its first event: init, and paler the \
             first invocation. Each dot is a round.",
            &cold(report),
        ),
        section(
            "Warm invocation",
            "The median, and paler up to the 99th percentile. Those that hash a password are left \
             out: that is all they do.",
            &warm(report),
        ),
        section("Peak memory", "Resident, in MB.", &memory(report)),
        section("Size", "As a zip, and paler unpacked, in MB.", &sizes(report)),
        section(
            "Targets",
            "How many times as much a function takes as the leanest that does the same, measured \
             in the same rounds. The bar holds the true ratio 19 times out of 20; the dashed line \
             is the limit.",
            &ratios(report),
        ),
        section("All targets", "", &targets(report)),
        section(
            "All figures",
            "Medians over the rounds; times in ms, memory in MB.",
            &figures(report),
        ),
    ];
    page::page("What the functions cost", &[&escaped(&measured_on), &legend()], &body.concat())
}

fn legend() -> String {
    [
        (Kind::Function, "the functions"),
        (Kind::GetItem, "the leanest that does the same"),
        (Kind::Hello, "hello world, without the AWS SDK"),
        (Kind::Node, "the same in JavaScript"),
    ]
    .map(|(kind, meaning)| format!("<span class=\"legend {}\"></span>{meaning}", class(kind)))
    .concat()
}

fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Function => "function",
        Kind::Hello => "hello",
        Kind::GetItem => "get-item",
        Kind::Node => "node",
    }
}

fn cold(report: &Report) -> String {
    let bar = |case: &CaseReport| {
        let parts = vec![case.init.p50, case.cold.p50 - case.init.p50];
        bar(report, case, parts, case.cold_samples.clone(), format!("{:.1} ms", case.cold.p50))
    };
    let shown = || report.cases.iter().filter(|case| !hashes(case));
    let longest = longest(report, shown(), |case| case.cold.p50) * ROOM;
    bars(&shown().map(bar).collect::<Vec<_>>(), longest)
}

fn warm(report: &Report) -> String {
    let bar = |case: &CaseReport| {
        let parts = vec![case.warm.p50, case.warm.p99 - case.warm.p50];
        let value = format!("{:.2} to {:.1} ms", case.warm.p50, case.warm.p99);
        bar(report, case, parts, Vec::new(), value)
    };
    let shown = || report.cases.iter().filter(|case| !hashes(case));
    let longest = longest(report, shown(), |case| case.warm.p99);
    bars(&shown().map(bar).collect::<Vec<_>>(), longest)
}

fn memory(report: &Report) -> String {
    let bar = |case: &CaseReport| {
        let memory = case.peak_memory.p50;
        bar(report, case, vec![memory], Vec::new(), format!("{memory:.1} MB"))
    };
    let longest = longest(report, report.cases.iter(), |case| case.peak_memory.p50) * 1.05;
    bars(&report.cases.iter().map(bar).collect::<Vec<_>>(), longest)
}

fn sizes(report: &Report) -> String {
    let bar = |subject: &super::SubjectReport| {
        let [bytes, zipped] = [subject.size.bytes, subject.size.zipped_bytes].map(millions);
        Bar {
            label: subject.name.clone(),
            class: class(subject.kind),
            parts: vec![zipped, bytes - zipped],
            samples: Vec::new(),
            value: format!("{zipped:.2} / {bytes:.2} MB"),
        }
    };
    let longest = report.subjects.iter().map(|subject| millions(subject.size.bytes));
    let longest = longest.fold(1.0, f64::max) * 1.05;
    bars(&report.subjects.iter().map(bar).collect::<Vec<_>>(), longest)
}

fn ratios(report: &Report) -> String {
    let mut plots = String::new();
    let mut rest = report.targets.as_slice();
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|verdict| verdict.what == first.what).count();
        let (group, after) = rest.split_at(count);
        rest = after;
        if let (Limit::AtMost(limit), Some(_)) = (first.limit, first.operation) {
            let rows: Vec<_> = group.iter().map(interval).collect();
            let _ = write!(plots, "<h3>{}</h3>{}", escaped(first.what), intervals(&rows, limit));
        }
    }
    plots
}

fn interval(verdict: &Verdict) -> Interval {
    Interval {
        label: format!("{}: {}", verdict.subject, verdict.operation.unwrap_or_default()),
        class: if verdict.met { "get-item" } else { "node" },
        value: verdict.ratio.value,
        low: verdict.ratio.low,
        high: verdict.ratio.high,
    }
}

fn bar(
    report: &Report,
    case: &CaseReport,
    parts: Vec<f64>,
    samples: Vec<f64>,
    value: String,
) -> Bar {
    Bar {
        label: format!("{}: {}", case.name, case.operation),
        class: class(report.subjects[case.subject].kind),
        parts,
        samples,
        value,
    }
}

/// Of all but Node.js, which would leave the others no room.
fn longest<'a>(
    report: &Report,
    cases: impl Iterator<Item = &'a CaseReport>,
    value: impl Fn(&CaseReport) -> f64,
) -> f64 {
    let cases = cases.filter(|case| report.subjects[case.subject].kind != Kind::Node);
    cases.map(value).fold(f64::MIN_POSITIVE, f64::max)
}

fn hashes(case: &CaseReport) -> bool {
    case.name == "auth"
}

fn targets(report: &Report) -> String {
    let rows = report.targets.iter().map(|verdict| {
        let limit = match verdict.limit {
            Limit::AtMost(limit) => format!("at most {limit}"),
            Limit::AtLeast(limit) => format!("at least {limit}"),
        };
        let (class, word) = if verdict.met { ("met", "met") } else { ("missed", "missed") };
        format!(
            "<tr><td class=\"text\">{}<td class=\"text\">{}<td class=\"text\">{}<td>{:.2}\
             <td>{:.2} – {:.2}<td>{limit}<td class=\"text {class}\">{word}\n",
            escaped(verdict.what),
            escaped(&verdict.subject),
            verdict.operation.unwrap_or_default(),
            verdict.ratio.value,
            verdict.ratio.low,
            verdict.ratio.high,
        )
    });
    format!(
        "<table><tr><th class=\"text\">target<th class=\"text\">function<th class=\"text\">event\
         <th>ratio<th>between<th>limit<th>\n{}</table>",
        rows.collect::<String>()
    )
}

fn figures(report: &Report) -> String {
    let mut header = vec![
        "init",
        "first",
        "both",
        "processor, cold",
        "warm p50",
        "p90",
        "p99",
        "processor, warm",
        "peak memory",
    ];
    let counted = report.cases.iter().any(|case| case.instructions.is_some());
    if counted {
        header.extend(["million instructions, cold", "warm"]);
    }
    let rows = report.cases.iter().map(|case| {
        let mut figures = case.figures().to_vec();
        if let Some(Instructions { cold, warm }) = case.instructions {
            figures.extend([cold, warm].map(millions));
        }
        let figures = cells("td", figures.into_iter().map(|figure| format!("{figure:.2}")));
        let (name, operation) = (escaped(&case.name), case.operation);
        format!("<tr><td class=\"text\">{name}<td class=\"text\">{operation}{figures}\n")
    });
    format!(
        "<table><tr><th class=\"text\">program<th class=\"text\">event{}\n{}</table>",
        cells("th", header),
        rows.collect::<String>()
    )
}
