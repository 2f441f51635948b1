//! The report for people: the same sections in the terminal and in a page.

mod cost;
mod format;
mod queries;
mod sheet;

use std::fmt::Write as _;

use storefront_core::schema::{GSI1, ItemType, prefix};

use self::format::{bytes, float, percent, rounded};
use self::sheet::{Sheet, thousands};
use super::distribution::Distribution;
use super::findings::Finding;
use super::page::{self, Bar, bars};
use super::report::Report;

/// How much of a statement a terminal shows, in characters.
const SHOWN: usize = 90;

/// A part of the report.
struct Section {
    title: &'static str,
    explanation: String,
    /// HTML.
    plot: Option<String>,
    sheets: Vec<Sheet>,
}

/// Renders the report for a terminal.
pub(super) fn text(report: &Report) -> String {
    let mut text = introduction(report);
    text.push('\n');
    for section in sections(report, Some(SHOWN)) {
        let _ = writeln!(text, "\n{}", section.title.to_uppercase());
        if !section.explanation.is_empty() {
            let _ = writeln!(text, "{}", section.explanation);
        }
        for sheet in &section.sheets {
            let _ = writeln!(text, "\n{}", sheet.text());
        }
    }
    text
}

/// Renders the report as a self-contained page.
pub(super) fn page(report: &Report) -> String {
    let body = sections(report, None).into_iter().map(|section| {
        let sheets: String = section.sheets.iter().map(Sheet::html).collect();
        let content = section.plot.unwrap_or_default() + &sheets;
        page::section(section.title, &section.explanation, &content)
    });
    let body: String = body.collect();
    page::page("What the move would do", &introduction(report), &body)
}

fn introduction(report: &Report) -> String {
    let rejected: u64 = report.rejects.iter().map(|finding| finding.count).sum();
    format!(
        "Read from {}: {} items would be written, {} rows would be rejected. This report names rows by \
         their keys in the source, and has no other personal data.",
        report.source,
        thousands(report.total.items),
        thousands(rejected)
    )
}

fn sections(report: &Report, shown: Option<usize>) -> Vec<Section> {
    let mut sections = vec![
        items(report),
        spread(
            "Orders per user",
            &format!(
                "Each user has an item collection, {}, with the user and their orders. A collection can have \
                 any size; each page of it costs the same.",
                ItemType::Order.layout().pk
            ),
            ["user", "orders"],
            &report.orders_per_user,
        ),
        spread(
            "Products per category",
            &format!("A category is an item collection of {GSI1}, {}<category>.", prefix::CATEGORY),
            ["category", "products"],
            &report.products_per_category,
        ),
        spread(
            "Order items per product",
            &format!(
                "Each product has a partition, {}, with its stock item, to which an order writes when it takes \
                 the stock. Deleted products do not count.",
                ItemType::Stock.layout().pk
            ),
            ["product", "order items"],
            &report.sold_per_product,
        ),
        hot(report),
        limits(report),
        findings(
            "Rows that break a rule",
            "A load would reject them, each for the first rule that it breaks. storefront-migrate check \
             shows what is wrong with the first of them.",
            &report.rejects,
        ),
        findings("What a load would change", "These rows are valid.", &report.remarks),
        cost::load(report),
        cost::month(report),
    ];
    sections.extend(queries::queries(report, shown));
    sections
}

fn items(report: &Report) -> Section {
    let mut sheet = Sheet::new(
        &["type"],
        &[
            "items",
            "bytes",
            "mean",
            "p50",
            "p99",
            "largest",
            "in the indexes",
            "bytes there",
            "write units",
        ],
    );
    for items in &report.items {
        let sums = &items.sums;
        sheet.add([
            items.name.to_owned(),
            thousands(sums.items),
            bytes(sums.bytes),
            format!("{:.0} B", items.mean_bytes),
            format!("{} B", thousands(items.p50_bytes)),
            format!("{} B", thousands(items.p99_bytes)),
            format!("{} B", thousands(items.max_bytes)),
            thousands(sums.index_items),
            bytes(sums.index_bytes),
            thousands(sums.write_units + sums.index_write_units),
        ]);
    }
    let total = &report.total;
    let mut row = vec!["all".to_owned(), thousands(total.items), bytes(total.bytes)];
    row.extend([const { String::new() }; 4]);
    row.push(thousands(total.index_items));
    row.push(bytes(total.index_bytes));
    row.push(thousands(total.write_units + total.index_write_units));
    sheet.add(row);
    let rows = report.items.iter().map(|items| {
        let sums = &items.sums;
        Bar {
            label: items.name.to_owned(),
            parts: vec![float(sums.bytes) / 1e6, float(sums.index_bytes) / 1e6],
            value: format!("{}, {} in the indexes", bytes(sums.bytes), bytes(sums.index_bytes)),
        }
    });
    Section {
        title: "What would be in the table",
        explanation: "Sizes are those that DynamoDB counts: attribute names and values. A copy in GSI1 \
                      has all attributes, one in GSI2 what lists of orders show. Storage is billed for 100 \
                      bytes more for each item and copy. Write units are those of a load, for the table and \
                      the indexes. The plot shows megabytes, those in the indexes paler."
            .to_owned(),
        plot: Some(bars("items", &rows.collect::<Vec<_>>())),
        sheets: vec![sheet],
    }
}

fn spread(
    title: &'static str,
    explanation: &str,
    [one, many]: [&'static str; 2],
    found: &Distribution,
) -> Section {
    let mut figures =
        Sheet::new(&[], &["collections", many, "mean", "p50", "p90", "p99", "largest"]);
    figures.add([
        thousands(found.collections),
        thousands(found.count),
        format!("{:.1}", found.mean),
        thousands(found.p50),
        thousands(found.p90),
        thousands(found.p99),
        thousands(found.max),
    ]);
    // Order items are not in the partition of their product, so they have no bytes here.
    let has_bytes = found.bytes > 0;
    let columns = [many, "of all", "bytes"];
    let mut top = Sheet::new(&[one], if has_bytes { &columns } else { &columns[..2] });
    for largest in &found.top {
        let mut row = vec![largest.key.clone(), thousands(largest.count), percent(largest.share)];
        row.extend(has_bytes.then(|| bytes(largest.bytes)));
        top.add(row);
    }
    let rows = found.buckets.iter().map(|bucket| Bar {
        label: match (bucket.from, bucket.to) {
            (0, _) => format!("no {many}"),
            (from, to) if from == to => format!("{} {many}", thousands(from)),
            (from, to) => format!("{} to {} {many}", thousands(from), thousands(to)),
        },
        parts: vec![float(bucket.collections)],
        value: thousands(bucket.collections),
    });
    Section {
        title,
        explanation: explanation.to_owned(),
        plot: Some(bars("spread", &rows.collect::<Vec<_>>())),
        sheets: vec![figures, top],
    }
}

fn hot(report: &Report) -> Section {
    let mut sheet = Sheet::new(
        &["partition", "when"],
        &["units each", "limit a second", "reached at, a second", "share", "in the shop, a second"],
    );
    for spot in &report.hot_spots {
        sheet.add([
            spot.partition.clone(),
            spot.event.to_owned(),
            format!("{:.1}", spot.units),
            thousands(rounded(spot.limit)),
            thousands(rounded(spot.per_second)),
            spot.share.map(percent).unwrap_or_default(),
            spot.of_all_per_second.map(rounded).map(thousands).unwrap_or_default(),
        ]);
    }
    Section {
        title: "Hot partitions",
        explanation: "A partition takes 1,000 write units and 3,000 read units a second. For the largest \
                      of each kind, with the source's keys: how often the event must happen to reach the \
                      limit, and how often in the whole shop, if the share stays the same. Transactions on \
                      one stock item conflict long before that: before such a sale, spread the product's stock \
                      over several items (PUT /products/{id}/stock-spread; docs/scaling.md)."
            .to_owned(),
        plot: None,
        sheets: vec![sheet],
    }
}

fn limits(report: &Report) -> Section {
    let mut sheet = Sheet::new(&["limit", "found"], &[]);
    let size = &report.size_limit;
    let items = &report.item_limit;
    let emails = &report.email_collisions;
    let without = &report.orders_without_user;
    sheet.add([
        "an item has at most 400 KB".to_owned(),
        format!(
            "{} items have 80 % of that or more; the largest has {}, and the largest rejected row about {}",
            thousands(size.items_near),
            bytes(size.max_bytes),
            bytes(size.largest_reject_bytes)
        ),
    ]);
    sheet.add([
        format!("an order has at most {} items", items.limit),
        match items.orders_over {
            0 => "no order has more".to_owned(),
            over => format!("{} have more, at most {}", thousands(over), items.most_items),
        },
    ]);
    sheet.add([
        "an email belongs to one user; capitals and surrounding blanks do not count".to_owned(),
        match emails.users {
            0 => "no users share one".to_owned(),
            users => {
                let examples =
                    emails.examples.iter().map(|[other, key]| format!("{key} has that of {other}"));
                let examples = examples.collect::<Vec<_>>().join(", ");
                format!("{} users have an older user's: {examples}", thousands(users))
            }
        },
    ]);
    sheet.add([
        "an order has a user".to_owned(),
        match without.orders {
            0 => "no order belongs to a rejected user".to_owned(),
            orders => format!(
                "{} orders belong to rejected users: {}",
                thousands(orders),
                without.examples.join(", ")
            ),
        },
    ]);
    Section {
        title: "Limits",
        explanation: "Users and orders are named by their keys.".to_owned(),
        plot: None,
        sheets: vec![sheet],
    }
}

fn findings(title: &'static str, explanation: &str, findings: &[Finding]) -> Section {
    let mut sheet = Sheet::new(&["entity", "kind", "column", "first keys"], &["rows"]);
    for finding in findings {
        let keys = finding.examples.iter().map(|key| key.as_deref().unwrap_or("(none)"));
        let mut keys = keys.collect::<Vec<_>>().join(", ");
        if finding.count > finding.examples.len() as u64 {
            keys.push_str(", …");
        }
        sheet.add([
            finding.entity.to_string(),
            finding.kind.to_owned(),
            finding.column.clone().unwrap_or_default(),
            keys,
            thousands(finding.count),
        ]);
    }
    let rows = findings.iter().map(|finding| Bar {
        label: format!("{}: {}", finding.entity, finding.kind),
        parts: vec![float(finding.count)],
        value: thousands(finding.count),
    });
    let rows: Vec<_> = rows.collect();
    Section {
        title,
        explanation: if findings.is_empty() { "None.".to_owned() } else { explanation.to_owned() },
        plot: (!rows.is_empty()).then(|| bars("findings", &rows)),
        sheets: if findings.is_empty() { Vec::new() } else { vec![sheet] },
    }
}
