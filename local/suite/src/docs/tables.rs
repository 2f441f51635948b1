//! Markdown tables of the item types and the access patterns.

use storefront_core::access_patterns;
use storefront_core::schema::ItemType;
use storefront_http::ProblemCode;

/// Lists every type of item, with its keys and attributes.
pub(super) fn items() -> String {
    let rows = ItemType::ALL.iter().map(|item_type| {
        let layout = item_type.layout();
        let (gsi1pk, gsi1sk) = layout.gsi1.unwrap_or_default();
        let (gsi2pk, gsi2sk) = layout.gsi2.unwrap_or_default();
        let keys = [layout.pk, layout.sk, gsi1pk, gsi1sk, gsi2pk, gsi2sk];
        let item_type = std::iter::once(code(item_type.as_str()));
        let attributes = std::iter::once(layout.attributes.join(", "));
        item_type.chain(keys.map(code)).chain(attributes).collect()
    });
    let head = ["`_type`", "PK", "SK", "GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK", "attributes"];
    table(&head, rows)
}

/// Lists every access pattern, with its costs. Special cases are below their pattern.
pub(super) fn access_patterns() -> String {
    let rows = access_patterns::all().map(|pattern| {
        vec![
            pattern.case.map_or_else(|| pattern.name.to_owned(), |case| format!("… {case}")),
            pattern.requests.to_owned(),
            pattern.read.to_string(),
            pattern.write.to_string(),
        ]
    });
    table(&["pattern", "requests", "read units", "write units"], rows)
}

/// Every kind of problem.
pub(super) fn problems() -> String {
    let rows = ProblemCode::ALL.iter().map(|problem| {
        vec![
            problem.status().as_u16().to_string(),
            code(problem.as_str()),
            problem.title().to_owned(),
            problem.description().to_owned(),
        ]
    });
    table(&["status", "code", "title", "when"], rows)
}

fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// Writes a Markdown table.
pub(super) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = row(head.iter().copied());
    text.extend(["|", &"---|".repeat(head.len()), "\n"]);
    text.extend(rows.map(|cells| row(cells.iter().map(String::as_str))));
    text
}

fn row<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    // An empty cell takes one space, not two.
    let cells = cells.map(|cell| if cell.is_empty() { String::new() } else { format!(" {cell}") });
    format!("|{} |\n", cells.collect::<Vec<_>>().join(" |"))
}
