//! Validates the part of JSON Schema that the OpenAPI document uses.
//!
//! This is not a library, because cargo unifies features over the workspace: the existing libraries
//! would change the `serde_json` features of the deployed functions. An unknown keyword panics, so
//! the document cannot contain a rule that is not checked.

use regex_lite::Regex;
use serde_json::{Map, Value};

/// The schemas of one document.
pub(super) struct Schemas<'a> {
    pub(super) document: &'a Value,
}

impl Schemas<'_> {
    /// Returns everything in `value` that violates `schema`, each with its location.
    pub(super) fn violations(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.check(schema, value, "", true, &mut found);
        found
    }

    /// Returns the target of a `$ref`, or the thing itself.
    pub(super) fn resolve<'b>(&'b self, thing: &'b Value) -> &'b Value {
        let Some(reference) = thing["$ref"].as_str() else {
            return thing;
        };
        let pointer = reference.trim_start_matches('#');
        self.document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }

    /// With `is_closed`, an object may have only the members that its schema names. The published
    /// schemas are open to further members, but every member of a response must be documented.
    fn check(
        &self,
        schema: &Value,
        value: &Value,
        place: &str,
        is_closed: bool,
        found: &mut Vec<String>,
    ) {
        let keywords = schema.as_object().expect("a schema is an object");
        if keywords.contains_key("$ref") {
            self.check(self.resolve(schema), value, place, is_closed, found);
        }
        for (keyword, wanted) in keywords {
            let holds = match keyword.as_str() {
                "$ref" | "description" | "example" | "examples" | "default" => true,
                // Where the exact text matters, the schema has a pattern as well.
                "format" => is_known_format(wanted),
                "type" => is_of_type(wanted, value),
                "enum" => wanted.as_array().is_some_and(|values| values.contains(value)),
                "pattern" => text(value).is_none_or(|text| matches(wanted, text)),
                "minLength" => length(value).is_none_or(|length| Some(length) >= wanted.as_u64()),
                "maxLength" => length(value).is_none_or(|length| Some(length) <= wanted.as_u64()),
                "minimum" => number(value).is_none_or(|number| Some(number) >= wanted.as_i64()),
                "maximum" => number(value).is_none_or(|number| Some(number) <= wanted.as_i64()),
                "minItems" => count(value).is_none_or(|count| Some(count) >= wanted.as_u64()),
                "maxItems" => count(value).is_none_or(|count| Some(count) <= wanted.as_u64()),
                "minProperties" => members(value)
                    .is_none_or(|members| Some(members.len() as u64) >= wanted.as_u64()),
                "required" => members(value).is_none_or(|members| has_all(members, wanted)),
                "additionalProperties" => *wanted == false,
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(wanted, item, &format!("{place}/{index}"), true, found);
                    }
                    true
                }
                "properties" => {
                    for (name, member) in members(value).into_iter().flatten() {
                        let place = format!("{place}/{name}");
                        match wanted.get(name) {
                            Some(schema) => self.check(schema, member, &place, true, found),
                            None if is_closed => found.push(format!("{place} is not documented")),
                            None => {}
                        }
                    }
                    true
                }
                "allOf" => {
                    for part in wanted.as_array().into_iter().flatten() {
                        // A part that only narrows another one names some of the members.
                        let is_whole = part.get("$ref").is_some();
                        self.check(part, value, place, is_whole, found);
                    }
                    true
                }
                "oneOf" | "anyOf" => {
                    let options = wanted.as_array().into_iter().flatten();
                    let fitting =
                        options.filter(|option| self.violations(option, value).is_empty()).count();
                    fitting == 1 || (keyword == "anyOf" && fitting > 0)
                }
                _ => panic!("the keyword {keyword} is not known here: {schema}"),
            };
            if !holds {
                found.push(format!("{place}: {value} violates {keyword} {wanted}"));
            }
        }
    }
}

fn is_known_format(format: &Value) -> bool {
    let known = ["date-time", "idn-email", "int32", "int64", "password", "uri", "uuid"];
    format.as_str().is_some_and(|format| known.contains(&format))
}

fn is_of_type(wanted: &Value, value: &Value) -> bool {
    let is_of = |name: &Value| match name.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        _ => panic!("the type {name} is not known here"),
    };
    wanted.as_array().map_or_else(|| is_of(wanted), |names| names.iter().any(is_of))
}

fn matches(pattern: &Value, text: &str) -> bool {
    let pattern = pattern.as_str().expect("a pattern is a string");
    Regex::new(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text)
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

/// All numbers in the shop's responses fit into an `i64`; any other fails the test.
fn number(value: &Value) -> Option<i64> {
    value.is_number().then(|| value.as_i64().expect("a number of 64 bits"))
}

fn length(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

fn count(value: &Value) -> Option<u64> {
    value.as_array().map(|items| items.len() as u64)
}

fn members(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object()
}

fn has_all(members: &Map<String, Value>, names: &Value) -> bool {
    let names = names.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.into_iter().all(|name| members.contains_key(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn violations(schema: &Value, value: &Value) -> usize {
        let document = json!({
            "things": {
                "Id": { "type": "string", "pattern": "^[a-z]+$", "maxLength": 3 },
                "Thing": {
                    "type": "object",
                    "required": ["id"],
                    "properties": { "id": { "$ref": "#/things/Id" }, "size": { "type": ["integer", "null"] } },
                },
            },
        });
        Schemas { document: &document }.violations(schema, value).len()
    }

    #[test]
    fn a_value_that_matches_its_schema_has_no_violations() {
        let thing = json!({ "$ref": "#/things/Thing" });
        for value in [json!({ "id": "abc" }), json!({ "id": "a", "size": null })] {
            assert_eq!(violations(&thing, &value), 0, "{value}");
        }
        let narrowed = json!({ "allOf": [thing, { "properties": { "id": { "enum": ["a"] } } }] });
        assert_eq!(violations(&narrowed, &json!({ "id": "a", "size": 1 })), 0);
        let maybe = json!({ "oneOf": [thing, { "type": "null" }] });
        assert_eq!(violations(&maybe, &Value::Null), 0);
    }

    #[test]
    fn every_keyword_can_be_violated() {
        let thing = json!({ "$ref": "#/things/Thing" });
        for value in [
            json!([]),
            json!({}),
            json!({ "id": 1 }),
            json!({ "id": "A" }),
            json!({ "id": "abcd" }),
            json!({ "id": "a", "size": 1.5 }),
            json!({ "id": "a", "more": 1 }),
        ] {
            assert_eq!(violations(&thing, &value), 1, "{value}");
        }
        for (schema, value) in [
            (json!({ "enum": [1, 2] }), json!(3)),
            (json!({ "minimum": 1 }), json!(0)),
            (json!({ "maximum": 1 }), json!(2)),
            (json!({ "minLength": 1 }), json!("")),
            (json!({ "minItems": 1 }), json!([])),
            (json!({ "maxItems": 1 }), json!([1, 2])),
            (json!({ "items": { "type": "null" } }), json!([null, 1])),
            (json!({ "minProperties": 1 }), json!({})),
            (json!({ "oneOf": [{ "type": "null" }, { "type": "null" }] }), json!(null)),
            (json!({ "anyOf": [{ "type": "null" }] }), json!(1)),
            (
                json!({ "allOf": [thing, { "properties": { "id": { "enum": ["a"] } } }] }),
                json!({ "id": "b" }),
            ),
        ] {
            assert_eq!(violations(&schema, &value), 1, "{schema} {value}");
        }
    }
}
