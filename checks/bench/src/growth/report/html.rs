//! For people: one page, with nothing from elsewhere.

use std::fmt::Write as _;

use super::{PatternReport, Report, Size};
use crate::growth::pattern::Group;
use crate::growth::rounded;
use crate::report::page::{self, cells, escaped, section};
use crate::report::svg::{Line, lines};
use crate::report::table::thousands;

pub(in crate::growth) fn render(report: &Report) -> String {
    let measured_on = escaped(&format!(
        "{}. {} rounds; in each, every pattern is asked of all tables in turn. Each table is in a \
         file and served by a process of its own.",
        report.machine, report.rounds
    ));
    let body = [
        section(
            "Time",
            "Medians in milliseconds, over the orders in the table. It is the embedded store's; \
             what DynamoDB takes does not depend on a table's size.",
            &times(report),
        ),
        section(
            "Requests, units and time",
            "Units as DynamoDB counts them. Times in milliseconds; the ratio is that of the medians \
             in the largest table and in the smallest, and what lies around it holds the true one 19 \
             times out of 20.",
            &figures(report),
        ),
        section(
            "How fast a table fills",
            "Items a second, over the items that are in it.",
            &rates(report),
        ),
        section("The tables", "", &sizes(report)),
    ];
    page::page("What growth costs", &[&measured_on], &body.concat())
}

fn times(report: &Report) -> String {
    let ticks: Vec<_> = report.sizes.iter().map(|size| tick(size.orders)).collect();
    let mut panels = String::from("<div class=\"panels\">");
    for group in Group::ALL {
        let all: Vec<_> = report.group(group).map(|pattern| line(report, pattern)).collect();
        let _ =
            write!(panels, "<div><h3>{}</h3>{}</div>", escaped(group.title()), lines(&all, &ticks));
    }
    panels + "</div>"
}

fn line(report: &Report, pattern: &PatternReport) -> Line {
    let points = report.sizes.iter().zip(&pattern.milliseconds);
    Line {
        label: pattern.name.to_owned(),
        points: points.map(|(size, time)| (f64::from(size.orders), time.p50)).collect(),
    }
}

fn rates(report: &Report) -> String {
    let line = |size: &Size| Line {
        label: format!("{} orders", thousands(size.orders.into())),
        points: size
            .growth
            .rates
            .iter()
            .map(|rate| (f64::from(rate.items), rate.items_per_second))
            .collect(),
    };
    let all: Vec<_> = report.sizes.iter().map(line).collect();
    let items = || report.sizes.iter().flat_map(|size| &size.growth.rates).map(|rate| rate.items);
    let [least, most] = [items().min(), items().max()].map(|items| items.unwrap_or(1).ilog10());
    let decades = (least..=most + 1).map(|power| tick(10_u32.pow(power)));
    let plot = lines(&all, &decades.collect::<Vec<_>>());
    format!("<div class=\"panels\"><div>{plot}</div></div>")
}

fn tick(value: u32) -> (f64, String) {
    (f64::from(value), thousands(value.into()))
}

fn figures(report: &Report) -> String {
    let mut header: Vec<_> =
        ["requests", "read", "write", "at every size"].map(str::to_owned).into();
    for percentile in ["p50", "p99"] {
        let of = |size: &Size| format!("{percentile}, {}", thousands(size.orders.into()));
        header.extend(report.sizes.iter().map(of));
    }
    header.extend(["ratio", "between"].map(str::to_owned));
    let rows = report.patterns.iter().map(|pattern| {
        let mut row: Vec<_> = pattern.cost.columns().into();
        row.push(if pattern.cost.is_always_the_same() {
            "<span class=\"met\">the same</span>".to_owned()
        } else {
            "<span class=\"missed\">differs</span>".to_owned()
        });
        row.extend(pattern.milliseconds.iter().map(|time| format!("{:.2}", time.p50)));
        row.extend(pattern.milliseconds.iter().map(|time| format!("{:.2}", time.p99)));
        row.push(format!("{:.2}", pattern.ratio.value));
        row.push(format!("{:.2} – {:.2}", pattern.ratio.low, pattern.ratio.high));
        format!("<tr><td class=\"text\">{}{}\n", escaped(pattern.name), cells("td", row))
    });
    format!(
        "<table><tr><th class=\"text\">pattern{}\n{}</table>",
        cells("th", header),
        rows.collect::<String>()
    )
}

fn sizes(report: &Report) -> String {
    let rows = report.sizes.iter().map(|size| {
        let Size { orders, orders_of_one, users, products, bytes, growth } = size;
        let cell = |value: u32| thousands(value.into());
        let row = [
            cell(*orders),
            cell(*orders_of_one),
            cell(*users),
            cell(*products),
            cell(growth.items),
            format!("{:.1}", growth.seconds),
            thousands(rounded(f64::from(growth.items) / growth.seconds)),
            thousands(bytes / 1_000_000),
            thousands(bytes / u64::from(*orders)),
        ];
        format!("<tr>{}\n", cells("td", row))
    });
    let header = [
        "orders",
        "of the largest customer",
        "users",
        "products",
        "items",
        "filled in s",
        "items/s",
        "MB",
        "bytes per order",
    ];
    format!("<table><tr>{}\n{}</table>", cells("th", header), rows.collect::<String>())
}
