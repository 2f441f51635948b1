//! The sections about queries.

use std::fmt::Write as _;

use super::Section;
use super::format::rounded;
use super::sheet::{Sheet, thousands};
use crate::review::queries::Asked;
use crate::review::report::Report;

/// How many statements of a list a terminal shows.
const STATEMENTS: usize = 20;

pub(super) fn queries(report: &Report, shown: Option<usize>) -> Vec<Section> {
    let Some(queries) = &report.queries else { return Vec::new() };
    let mut patterns =
        Sheet::new(&["pattern", "requests", "read units", "write units"], &["calls"]);
    let mut answered = Sheet::new(&["pattern", "statement", "doubts"], &["calls", "ms"]);
    for pattern in &queries.patterns {
        patterns.add(
            [pattern.pattern, pattern.requests, &pattern.read_units, &pattern.write_units]
                .map(str::to_owned)
                .into_iter()
                .chain([thousands(pattern.calls)])
                .collect::<Vec<_>>(),
        );
        add(&mut answered, &[pattern.pattern], &pattern.statements, shown);
    }
    let mut without = Sheet::new(&["statement", "why"], &["calls", "ms"]);
    add(&mut without, &[], &queries.without_pattern, shown);
    let mut unparsed = Sheet::new(&["statement", ""], &["calls", "ms"]);
    add(&mut unparsed, &[], &queries.unparsed, shown);
    let mut notes = format!(
        "{} calls were read; {} of them use no table.",
        thousands(queries.calls),
        thousands(queries.without_table)
    );
    if queries.others > 0 {
        let _ = write!(
            notes,
            " {} belong to further statements, which are not included.",
            thousands(queries.others)
        );
    }
    if !queries.not_followed.is_empty() {
        let _ = write!(
            notes,
            " The columns of [{}] are unknown, because the select is more than a join of tables.",
            queries.not_followed.join("], [")
        );
    }
    let section = |title, explanation: String, sheet| Section {
        title,
        explanation,
        plot: None,
        sheets: vec![sheet],
    };
    let mut sections = vec![
        section("Access patterns", notes, patterns),
        section(
            "The pattern for each statement",
            "Matched by tables, conditions, order and the columns that are set. Values are left out. If \
             a match is not certain, the reasons are given."
                .to_owned(),
            answered,
        ),
        section(
            "Statements without an access pattern",
            "The most frequent first. Each needs a decision: a new pattern with its own index, another \
             service (search, reports), or doing without."
                .to_owned(),
            without,
        ),
    ];
    if !queries.unparsed.is_empty() {
        let why = "These could not be parsed as SQL. Look at them yourself.".to_owned();
        sections.push(section("Statements that were not understood", why, unparsed));
    }
    sections
}

/// Adds statements, but only the first of them in a terminal.
fn add(sheet: &mut Sheet, before: &[&str], statements: &[Asked], shown: Option<usize>) {
    let most = shown.map_or(usize::MAX, |_| STATEMENTS);
    for asked in statements.iter().take(most) {
        let sql = match shown.and_then(|shown| asked.sql.char_indices().nth(shown)) {
            Some((end, _)) => format!("{} …", &asked.sql[..end]),
            None => asked.sql.clone(),
        };
        let mut row: Vec<_> = before.iter().map(|text| (*text).to_owned()).collect();
        row.extend([sql, asked.why.join("; "), thousands(asked.calls)]);
        row.push(asked.milliseconds.map(rounded).map(thousands).unwrap_or_default());
        sheet.add(row);
    }
    if let Some(more) = statements.len().checked_sub(most).filter(|more| *more > 0) {
        let mut row: Vec<_> = before.iter().map(|text| (*text).to_owned()).collect();
        row.extend([format!("… and {more} more"), String::new(), String::new(), String::new()]);
        sheet.add(row);
    }
}
