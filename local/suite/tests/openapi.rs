//! openapi.json is up to date, and its operations are complete.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use storefront_suite::{Dependencies, Kind, functions, openapi};

const OPENAPI_JSON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");

#[test]
fn openapi_json_matches_the_code() {
    let written = fs::read_to_string(OPENAPI_JSON).unwrap_or_default();
    assert!(
        written == openapi::document().unwrap(),
        "openapi.json is stale: run `cargo xtask openapi`"
    );
}

#[test]
fn every_reference_points_to_a_component_of_the_functions_own_document() {
    // Responses are checked against the document of their function, so it must be complete.
    for function in functions(&Dependencies::unreachable()) {
        let Kind::Api { doc, .. } = function.kind else { continue };
        let written = doc().to_json().unwrap();
        let document: Value = serde_json::from_str(&written).unwrap();
        let missing: BTreeSet<_> = written
            .split('"')
            .filter_map(|text| text.strip_prefix('#'))
            .filter(|pointer| document.pointer(pointer).is_none())
            .collect();
        assert!(
            missing.is_empty(),
            "add these to `components(schemas(…))` of the ApiDoc of `{}`: {missing:?}",
            function.name
        );
    }
}

#[test]
fn every_operation_has_a_summary_a_unique_id_and_documented_problems() {
    let document: Value = serde_json::from_str(&openapi::document().unwrap()).unwrap();
    let mut ids = BTreeSet::new();
    let paths = document["paths"].as_object().unwrap();
    for operation in paths.values().flat_map(|path| path.as_object().unwrap().values()) {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} twice");
        assert!(operation["summary"].is_string(), "{id} has no summary");
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.starts_with(['4', '5']) {
                // Shared responses are components.
                let reference = response["$ref"].as_str();
                let response = reference
                    .map_or(Some(response), |path| document.pointer(path.trim_start_matches('#')))
                    .unwrap();
                // The gateway's own responses have another schema.
                let mut contents = response["content"].as_object().unwrap().iter();
                let is_described = contents.all(|(content_type, content)| {
                    let kind = match content_type.as_str() {
                        "application/problem+json" => "#/components/schemas/Problem",
                        "application/json" => "#/components/schemas/GatewayMessage",
                        _ => return false,
                    };
                    content["schema"]["allOf"][0]["$ref"] == kind
                });
                assert!(is_described, "{id} {status}");
            }
        }
    }
    assert_eq!(document["openapi"], "3.1.0");
}
