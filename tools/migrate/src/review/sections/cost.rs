//! The sections about costs.

use super::Section;
use super::format::{bytes, duration, money, rounded};
use super::sheet::{Sheet, thousands};
use crate::review::report::Report;

pub(super) fn load(report: &Report) -> Section {
    let load = &report.load;
    let currency = &report.prices.currency;
    let mut sheet = Sheet::new(&["with", "counted"], &[]);
    sheet.add([
        "BatchWriteItem".to_owned(),
        format!(
            "{} write units, and {} for the indexes: {} {currency}; {} at {} units a second",
            thousands(load.write_units),
            thousands(load.index_write_units),
            money(load.cost),
            duration(load.seconds),
            thousands(load.rate.into())
        ),
    ]);
    sheet.add([
        "import from S3".to_owned(),
        format!(
            "{} of DynamoDB JSON without compression: {} {currency}; AWS does not say how long it takes",
            bytes(load.import_bytes),
            money(load.import_cost)
        ),
    ]);
    Section {
        title: "What loading costs",
        explanation: format!(
            "{}'s list prices of {}, on demand ({}). An import creates a new table, and consumes no \
             write units.",
            report.prices.region, report.prices.date, report.prices.source
        ),
        plot: None,
        sheets: vec![sheet],
    }
}

pub(super) fn month(report: &Report) -> Section {
    let month = &report.month;
    let mut sheet = Sheet::new(&["what", "counted"], &["a month"]);
    sheet.add([
        "storage".to_owned(),
        format!(
            "{} and {} in the indexes",
            bytes(month.stored_bytes),
            bytes(month.index_stored_bytes)
        ),
        money(month.storage_cost),
    ]);
    sheet.add([
        "continuous backups".to_owned(),
        bytes(month.stored_bytes),
        money(month.backup_cost),
    ]);
    sheet.add(["the stream".to_owned(), "free for Lambda".to_owned(), money(0.0)]);
    let requests = report.queries.as_ref().and_then(|queries| queries.month);
    if let Some(requests) = requests {
        sheet.add([
            "requests".to_owned(),
            format!(
                "{} read units, {} write units; {} of the cost is uncertain",
                thousands(rounded(requests.read_units)),
                thousands(rounded(requests.write_units)),
                money(requests.uncertain_cost)
            ),
            money(requests.cost),
        ]);
    }
    let explanation = if requests.is_some() {
        "A month has 30 days. The requests are those for the statements with a pattern, as often as they \
         were called, with items of up to 1 KB."
    } else {
        "Without requests: to include them, pass today's statements with --queries, in a file that has \
         their times."
    };
    Section {
        title: "What the table costs a month",
        explanation: format!("In {}. {explanation}", report.prices.currency),
        plot: None,
        sheets: vec![sheet],
    }
}
