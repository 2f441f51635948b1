//! Compares the schemas with those of releases, which are kept in `events/schemas/released`.
//!
//! A subscriber that was written for a release must be able to read what is published now, as long
//! as it ignores members that it does not know. So whatever is valid now must be valid in the
//! release's schema. An event that cannot be so gets a new name, and the old one stays as it is.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{checked_in, folder, generated};

/// Values that members may have since a release, although its schema does not list them. Subscribers
/// that list all values have to add them, so CHANGELOG.md names each.
const NEW_VALUES: [(&str, &str, &str); 2] = [
    ("OrderStatusChanged", "status", "returned"),
    ("OrderStatusChanged", "previousStatus", "returned"),
];

#[test]
fn subscribers_of_every_release_can_read_what_is_published_now() {
    let generated = generated();
    let mut problems = Vec::new();
    for release in fs::read_dir(folder().join("released")).unwrap() {
        let release = release.unwrap();
        for (file, released) in checked_in(&release.path()).unwrap() {
            let event = file.trim_end_matches(".json");
            let released = serde_json::from_str(&released).unwrap();
            let current = generated.get(&file).map(|text| serde_json::from_str(text).unwrap());
            let found = incompatible(event, &released, current.as_ref());
            let release = release.file_name().to_string_lossy().into_owned();
            problems.extend(found.into_iter().map(|problem| format!("{release}: {problem}")));
        }
    }
    assert!(
        problems.is_empty(),
        "{}\nPublish this as an event with a new name.",
        problems.join("\n")
    );
}

#[test]
fn the_changelog_names_the_new_values() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../CHANGELOG.md");
    let changelog = fs::read_to_string(path).unwrap();
    for (_, _, value) in NEW_VALUES {
        assert!(changelog.contains(&format!("`{value}`")), "CHANGELOG.md does not name `{value}`");
    }
}

/// Returns what a subscriber of the released event could not read.
fn incompatible(event: &str, released: &Value, current: Option<&Value>) -> Vec<String> {
    let mut problems = Vec::new();
    match current {
        Some(current) => compare(event, "", released, current, &mut problems),
        None => problems.push(format!("{event} is not published any more")),
    }
    problems
}

/// Compares a member's schemas, keyword by keyword. The current one may have others besides: they allow
/// less, not more.
fn compare(
    event: &str,
    member: &str,
    released: &Value,
    current: &Value,
    problems: &mut Vec<String>,
) {
    let place = format!("{event}.{member}");
    for (keyword, released) in released.as_object().into_iter().flatten() {
        let current = &current[keyword];
        let allows_more = match keyword.as_str() {
            "$schema" | "title" | "description" => false,
            "properties" => {
                for (name, released) in released.as_object().into_iter().flatten() {
                    let name_in_event = format!("{member}/{name}");
                    match &current[name] {
                        Value::Null => problems.push(format!("{event}.{name} is gone")),
                        current => compare(
                            event,
                            name_in_event.trim_start_matches('/'),
                            released,
                            current,
                            problems,
                        ),
                    }
                }
                false
            }
            "required" => !values(released).iter().all(|name| values(current).contains(name)),
            "enum" => {
                !values(current).iter().all(|value| {
                    let is_new = |&(of, name, new): &(&str, &str, &str)| {
                        of == event && name == member && **value == new
                    };
                    values(released).contains(value) || NEW_VALUES.iter().any(is_new)
                }) || current.is_null()
            }
            "minimum" | "minLength" => {
                current.as_u64().is_none_or(|least| Some(least) < released.as_u64())
            }
            "maximum" | "maxLength" => {
                current.as_u64().is_none_or(|most| Some(most) > released.as_u64())
            }
            _ => current != released,
        };
        if allows_more {
            problems.push(format!("{place}: `{keyword}` was {released} and is {current}"));
        }
    }
}

fn values(list: &Value) -> Vec<&Value> {
    list.as_array().into_iter().flatten().collect()
}

#[test]
fn what_a_subscriber_could_not_read_is_found_and_what_it_can_is_not() {
    let released = serde_json::json!({
        "type": "object",
        "properties": {
            "status": { "enum": ["pending", "paid"], "description": "How far it is." },
            "total": { "type": "integer", "minimum": 1, "maximum": 9 },
            "currency": { "type": "string", "pattern": "^[A-Z]{3}$" },
            "parcel": { "type": "object", "properties": { "number": { "type": "string" } } },
        },
        "required": ["status", "total"],
    });
    let changes: [(&str, Value, &str); 12] = [
        (
            "/properties/status/enum",
            serde_json::json!(["pending", "paid", "lost"]),
            "Order.status: `enum`",
        ),
        ("/properties/status", serde_json::json!({ "type": "string" }), "Order.status: `enum`"),
        ("/properties/total/type", serde_json::json!("number"), "Order.total: `type`"),
        ("/properties/total/minimum", serde_json::json!(0), "Order.total: `minimum`"),
        ("/properties/total/maximum", Value::Null, "Order.total: `maximum`"),
        ("/properties/currency", Value::Null, "Order.currency is gone"),
        (
            "/properties/currency/pattern",
            serde_json::json!("^[A-Z]+$"),
            "Order.currency: `pattern`",
        ),
        (
            "/properties/parcel/properties/number/type",
            serde_json::json!("integer"),
            "Order.parcel/number: `type`",
        ),
        ("/required", serde_json::json!(["status"]), "Order.: `required`"),
        // Less than before, or besides.
        ("/properties/status/enum", serde_json::json!(["paid"]), ""),
        (
            "/properties/total",
            serde_json::json!({ "type": "integer", "minimum": 2, "maximum": 8 }),
            "",
        ),
        ("/required", serde_json::json!(["status", "total", "currency"]), ""),
    ];
    for (pointer, value, expected) in changes {
        let mut current = released.clone();
        *current.pointer_mut(pointer).unwrap() = value;
        let found = incompatible("Order", &released, Some(&current));
        match expected {
            "" => assert_eq!(found, Vec::<String>::new(), "{pointer}"),
            expected => assert!(
                found.len() == 1 && found[0].starts_with(expected),
                "{pointer}: {found:?} is not {expected}"
            ),
        }
    }
    assert_eq!(incompatible("Order", &released, None), ["Order is not published any more"]);
}
