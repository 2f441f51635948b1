//! The documents match the code.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use storefront_suite::{docs, openapi};

#[test]
fn the_generated_parts_of_the_documents_are_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let outdated = docs::check(&root).expect("the documents can be read");
    assert!(outdated.is_empty(), "{outdated:?} are stale: run `cargo xtask docs`");
    let missing = docs::missing(&root).unwrap();
    assert!(missing.is_empty(), "README.md and docs/ lack the markers of {missing:?}");
}

#[test]
fn docs_api_md_has_the_routes_of_the_openapi_document() {
    let document: Value = serde_json::from_str(&openapi::document().unwrap()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let methods = operations.as_object().unwrap().keys();
        documented.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }

    // A row: `| GET, PATCH /users/{userId} (a remark) · POST /users | who |`.
    let page = include_str!("../../../docs/api.md");
    let (_, table) = page.split_once("| method and path | who |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut listed = BTreeSet::new();
    for routes in rows.flat_map(|row| row.split('|').nth(1).unwrap().split('·')) {
        let (methods, path) = routes.split_once('/').unwrap();
        let path = path.split([' ', '?']).next().unwrap();
        let methods = methods.split(',');
        listed.extend(methods.map(|method| format!("{} /{path}", method.trim())));
    }

    let missing: Vec<_> = documented.difference(&listed).collect();
    assert!(missing.is_empty(), "add these to the table in docs/api.md: {missing:?}");
    let unknown: Vec<_> = listed.difference(&documented).collect();
    assert!(unknown.is_empty(), "no route of openapi.json: {unknown:?} in docs/api.md");
}
