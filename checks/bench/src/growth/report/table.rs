//! For a terminal.

use std::fmt::Write as _;

use comfy_table::Table;

use super::{Pages, PatternReport, Report, Size};
use crate::growth::rounded;
use crate::report::table::{table, thousands};

pub(crate) fn render(report: &Report) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\n{}. Each table in a file and a process of its own.\n{}",
        report.machine,
        sizes(report)
    );
    let _ = writeln!(
        text,
        "\n{} rounds; times in ms. The ratio is that of the medians, largest table to smallest.\n{}",
        report.rounds,
        patterns(report)
    );
    let _ = writeln!(text, "\nLast page to first page, largest table\n{}", pages(report));
    let same = report.patterns.iter().filter(|report| report.cost.is_always_the_same()).count();
    let _ = writeln!(
        text,
        "{same} of {} patterns take the same requests and units at every size",
        report.patterns.len()
    );
    text
}

fn sizes(report: &Report) -> Table {
    let header = [
        "orders",
        "of one",
        "users",
        "products",
        "items",
        "filled in s",
        "items/s, at first",
        "at last",
        "MB",
        "bytes per order",
    ];
    let mut table = table(&header, 0);
    for size in &report.sizes {
        let Size { orders, orders_of_one, users, products, bytes, growth } = size;
        let rate = |rate: Option<f64>| thousands(rounded(rate.unwrap_or_default()));
        table.add_row([
            thousands((*orders).into()),
            thousands((*orders_of_one).into()),
            thousands((*users).into()),
            thousands((*products).into()),
            thousands(growth.items.into()),
            format!("{:.1}", growth.seconds),
            rate(growth.rates.first().map(|rate| rate.items_per_second)),
            rate(growth.rates.last().map(|rate| rate.items_per_second)),
            thousands(bytes / 1_000_000),
            thousands(bytes / u64::from(*orders)),
        ]);
    }
    table
}

fn patterns(report: &Report) -> Table {
    let mut header: Vec<_> =
        ["", "requests", "read", "write", "always"].into_iter().map(str::to_owned).collect();
    for percentile in ["p50", "p99"] {
        let of = |size: &Size| format!("{percentile} at {}", thousands(size.orders.into()));
        header.extend(report.sizes.iter().map(of));
    }
    header.extend(["ratio".to_owned(), "between".to_owned()]);
    let mut table = table(&header.iter().map(String::as_str).collect::<Vec<_>>(), 1);
    for PatternReport { name, cost, milliseconds, ratio, .. } in &report.patterns {
        let mut row = vec![(*name).to_owned()];
        row.extend(cost.columns());
        row.push(verdict(cost.is_always_the_same()).to_owned());
        row.extend(milliseconds.iter().map(|time| format!("{:.2}", time.p50)));
        row.extend(milliseconds.iter().map(|time| format!("{:.2}", time.p99)));
        row.push(format!("{:.2}", ratio.value));
        row.push(format!("{:.2}–{:.2}", ratio.low, ratio.high));
        table.add_row(row);
    }
    table
}

fn pages(report: &Report) -> Table {
    let mut table = table(&["", "requests", "read", "write", "always", "ratio", "between"], 1);
    for Pages { of, cost, ratio } in &report.pages {
        let mut row = vec![(*of).to_owned()];
        row.extend(cost.columns());
        row.push(verdict(cost.is_always_the_same()).to_owned());
        row.push(format!("{:.2}", ratio.value));
        row.push(format!("{:.2}–{:.2}", ratio.low, ratio.high));
        table.add_row(row);
    }
    table
}

/// Whether it costs the same at every size.
fn verdict(is_always_the_same: bool) -> &'static str {
    if is_always_the_same { "same" } else { "DIFFERS" }
}
