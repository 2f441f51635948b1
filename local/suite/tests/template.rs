//! The registry and `template.yaml` have the same functions and routes.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use storefront_suite::{Dependencies, Kind, functions};
use storefront_template::{Receiver, Template};

const TEMPLATE_YAML: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

fn template() -> Template {
    Template::read(TEMPLATE_YAML).unwrap()
}

/// Returns the binaries of the template's functions, by logical id.
fn binaries(template: &Template) -> BTreeMap<String, String> {
    let functions = template.functions().unwrap().into_values();
    functions.map(|function| (function.logical_id, function.binary)).collect()
}

#[test]
fn the_registry_and_the_template_have_the_same_functions_with_the_same_triggers() {
    let registered: BTreeSet<(String, &str)> = functions(&Dependencies::unreachable())
        .into_iter()
        .map(|function| {
            let trigger = match function.kind {
                Kind::Api { .. } => "an HttpApi event",
                Kind::Authorizer(_) => "the API's authorizer",
                Kind::Stream(_) => "a DynamoDB event",
                Kind::Schedule(_) => "a schedule",
                Kind::Rule(_) => "an event rule",
                Kind::Queue(_) => "a queue",
            };
            (function.name.to_owned(), trigger)
        })
        .collect();

    let template = template();
    let binaries = binaries(&template);
    let mut deployed = BTreeSet::new();
    for route in template.routes().unwrap() {
        deployed.insert((binaries[&route.function].clone(), "an HttpApi event"));
    }
    if let Some(authorizer) = template.authorizer().unwrap() {
        deployed.insert((binaries[&authorizer.function].clone(), "the API's authorizer"));
    }
    for mapping in template.stream_mappings().unwrap() {
        deployed.insert((binaries[&mapping.function].clone(), "a DynamoDB event"));
    }
    for schedule in template.schedules().unwrap() {
        deployed.insert((binaries[&schedule.function].clone(), "a schedule"));
    }
    for target in template.rules().unwrap().into_iter().flat_map(|rule| rule.targets) {
        if let Receiver::Function(function) = target.receiver {
            deployed.insert((binaries[&function].clone(), "an event rule"));
        }
    }
    for mapping in template.queue_mappings().unwrap() {
        deployed.insert((binaries[&mapping.function].clone(), "a queue"));
    }
    for binary in binaries.into_values() {
        if !deployed.iter().any(|(name, _)| *name == binary) {
            deployed.insert((binary, "no trigger"));
        }
    }

    let missing_in_template = registered.difference(&deployed).map(|(name, trigger)| {
        format!(
            "`{name}`, invoked by {trigger}, is registered in local/suite/src/lib.rs, but \
             template.yaml has no such AWS::Serverless::Function: add one with `Binary: {name}` in \
             its Metadata, and with this trigger"
        )
    });
    let missing_in_registry = deployed.difference(&registered).map(|(name, trigger)| {
        format!(
            "template.yaml has the function with `Binary: {name}`, invoked by {trigger}, but it is \
             not registered with it: add it to `functions` in local/suite/src/lib.rs"
        )
    });
    let missing: Vec<_> = missing_in_template.chain(missing_in_registry).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn each_function_documents_its_routes_and_which_of_them_need_a_token() {
    let mut documented = BTreeSet::new();
    for function in functions(&Dependencies::unreachable()) {
        let Kind::Api { doc, .. } = function.kind else { continue };
        let doc: Value = serde_json::from_str(&doc().to_json().unwrap()).unwrap();
        for (path, operations) in doc["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let route = route(method, path, operation.get("security").is_some());
                documented.insert((function.name.to_owned(), route));
            }
        }
    }

    let template = template();
    let binaries = binaries(&template);
    let routes = template.routes().unwrap().into_iter();
    let mut deployed: BTreeSet<_> = routes
        .map(|deployed| {
            let route = route(&deployed.method, &deployed.path, deployed.authorized);
            (binaries[&deployed.function].clone(), route)
        })
        .collect();

    // A function that one of the two lacks is the other test's.
    let names = |routes: &BTreeSet<(String, String)>| -> BTreeSet<String> {
        routes.iter().map(|(name, _)| name.clone()).collect()
    };
    let (registered, in_template) = (names(&documented), names(&deployed));
    documented.retain(|(name, _)| in_template.contains(name));
    deployed.retain(|(name, _)| registered.contains(name));

    let missing_in_template = documented.difference(&deployed).map(|(name, route)| {
        format!(
            "the annotations of `{name}` have {route}, but template.yaml does not: add an HttpApi \
             event to this function"
        )
    });
    let missing_in_code = deployed.difference(&documented).map(|(name, route)| {
        format!(
            "template.yaml routes {route} to `{name}`, but its `ApiDoc` does not have it: add the \
             handler to its paths, and declare in its annotation whether it needs a token"
        )
    });
    let missing: Vec<_> = missing_in_template.chain(missing_in_code).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn every_folder_of_functions_is_a_registered_function() {
    let mut known: BTreeSet<String> = functions(&Dependencies::unreachable())
        .into_iter()
        .map(|function| function.name.to_owned())
        .collect();
    // What the template has and the registry lacks is the first test's.
    known.extend(binaries(&template()).into_values());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../functions");
    let folders: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let unregistered: Vec<_> = folders.difference(&known).collect();
    assert!(
        unregistered.is_empty(),
        "not in `functions` of local/suite/src/lib.rs: functions/{unregistered:?}"
    );
}

fn route(method: &str, path: &str, is_authorized: bool) -> String {
    let token = if is_authorized { "with" } else { "without" };
    format!("{} {path} {token} a token", method.to_uppercase())
}
