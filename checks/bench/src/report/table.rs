//! For a terminal.

use std::fmt::Write as _;

use comfy_table::Table;
pub(crate) use storefront_report::table::{table, thousands};

use super::Report;
use crate::targets::{Limit, millions};

pub(crate) fn render(report: &Report) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\n{}. {} rounds; times in ms, medians.\n{}",
        report.machine,
        report.rounds,
        cases(report),
    );
    let _ = writeln!(text, "\nTargets, between 95 % confidence bounds\n{}", targets(report));
    let missed = report.targets.iter().filter(|target| !target.met).count();
    let _ = writeln!(text, "{} of {} met", report.targets.len() - missed, report.targets.len());
    text
}

fn cases(report: &Report) -> Table {
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
    let counted = report.cases.iter().any(|case| case.instructions.is_some());
    if counted {
        header.extend(["M instr. cold", "warm"]);
    }
    let mut table = table(&header, 2);
    for case in &report.cases {
        let size = report.subjects[case.subject].size;
        let mut row = vec![case.name.clone(), case.operation.to_owned()];
        let [times @ .., peak_memory] = case.figures();
        row.extend(times.map(|value: f64| format!("{value:.2}")));
        row.push(format!("{peak_memory:.1}"));
        row.extend([size.bytes, size.zipped_bytes].map(|size| format!("{:.2}", millions(size))));
        if counted {
            let instructions = case.instructions.map(|counted| [counted.cold, counted.warm]);
            let cells = instructions.map(|both| both.map(|n| format!("{:.2}", millions(n))));
            row.extend(cells.unwrap_or_default());
        }
        table.add_row(row);
    }
    table
}

fn targets(report: &Report) -> Table {
    let mut table = table(&["target", "", "event", "", "", "limit", ""], 3);
    for verdict in &report.targets {
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
