//! Our own rules for the template, in addition to cfn-lint's.
//!
//! Each rule is a function that takes a template and returns a sentence for each violation. Its
//! tests put a fault into this repository's template, and expect the rule to find it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod alarms;
mod dashboard;
mod functions;
mod metrics;
mod parameters;
mod roles;
mod table_in_use;
mod triggers;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::Value;
use storefront_template::Template;

const ALARM: &str = "AWS::CloudWatch::Alarm";
const FUNCTION: &str = "AWS::Serverless::Function";

const RULES: &[fn(&Value) -> Vec<String>] = &[
    alarms::have_an_action_and_say_what_missing_data_means,
    alarms::say_where_to_read_what_to_do,
    alarms::have_no_more_metrics_than_cloudwatch_allows,
    alarms::watch_every_function,
    alarms::watch_every_operation_that_is_granted,
    dashboard::shows_every_alarm_and_every_function,
    functions::give_up_and_keep_records_that_keep_failing,
    functions::have_a_log_group_with_a_retention_period,
    functions::isolate_a_record_that_fails,
    functions::read_a_stream_through_a_filter,
    functions::time_out_before_their_caller_does,
    metrics::have_their_dimensions,
    metrics::are_on_the_dashboard,
    parameters::are_described_and_used,
    parameters::are_no_numbers_that_a_function_reads,
    roles::are_the_functions_own,
    roles::name_exact_actions_and_resources,
    roles::name_the_partitions_of_the_table,
    table_in_use::is_what_everything_uses_and_outlives_the_stack,
    triggers::are_run_by_the_local_cloud,
];

#[test]
fn this_template_follows_every_rule() {
    let broken = broken(&this_template());
    assert!(broken.is_empty(), "template.yaml breaks rules:\n  {}", broken.join("\n  "));
}

/// Returns the violations of all rules in a template.
fn broken(template: &Value) -> Vec<String> {
    RULES.iter().flat_map(|rule| rule(template)).collect()
}

/// Returns the violations that a fault causes in this repository's template. Violations that the
/// template already has fail only the test above.
fn broken_by(put_in: impl FnOnce(&mut Value)) -> Vec<String> {
    static BEFORE: LazyLock<Vec<String>> = LazyLock::new(|| broken(&this_template()));
    let mut template = this_template();
    put_in(&mut template);
    assert_ne!(template, this_template(), "the fault changed nothing");
    broken(&template).into_iter().filter(|sentence| !BEFORE.contains(sentence)).collect()
}

fn this_template() -> Value {
    static WRITTEN: LazyLock<Value> = LazyLock::new(|| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        Template::read(path).unwrap().written().clone()
    });
    WRITTEN.clone()
}

/// Returns the resources of a type, by logical id.
fn resources<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let resources = template["Resources"].as_object().unwrap().iter();
    resources
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(id, resource)| (id.as_str(), resource))
        .collect()
}

/// Returns the type of the resource that a value refers to, if it refers to exactly one.
fn type_of_reference<'a>(template: &'a Value, value: &Value) -> Option<&'a str> {
    let ids = references(value);
    let id = ids.first().filter(|_| ids.len() == 1)?;
    template["Resources"][id]["Type"].as_str()
}

/// Returns everything that a value refers to, at any depth: parameters, resources, pseudo
/// parameters.
fn references(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("Ref", Value::String(id)) => {
                        found.insert(id.clone());
                    }
                    ("Fn::GetAtt", Value::Array(path)) => {
                        found.extend(path.first().and_then(Value::as_str).map(str::to_owned));
                    }
                    ("Fn::Sub", Value::String(text)) => found.extend(variables(text)),
                    _ => found.extend(references(member)),
                }
            }
        }
        Value::Array(values) => found.extend(values.iter().flat_map(references)),
        _ => {}
    }
    found
}

/// Returns the names between `${` and `}` in a text, without attributes.
fn variables(text: &str) -> impl Iterator<Item = String> {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
    names
        .filter(|name| !name.starts_with('!'))
        .map(|name| name.split('.').next().unwrap_or(name).to_owned())
}

/// Returns a list's values. As in policies, a single value stands for a list of one.
fn listed(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().collect(),
        Value::Null => Vec::new(),
        value => vec![value],
    }
}

/// Removes the value at a JSON pointer.
fn remove(template: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    template.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
}

/// Sets the value at a JSON pointer, whose parent must exist.
fn put(template: &mut Value, pointer: &str, value: impl Into<Value>) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    template.pointer_mut(parent).unwrap()[name] = value.into();
}
