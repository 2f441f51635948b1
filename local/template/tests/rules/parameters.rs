use serde_json::Value;

use crate::{FUNCTION, references, resources};

/// People who deploy see a parameter's description, and expect it to have an effect.
pub(crate) fn are_described_and_used(template: &Value) -> Vec<String> {
    let mut elsewhere = template.clone();
    elsewhere.as_object_mut().unwrap().remove("Parameters");
    let used = references(&elsewhere);
    let mut broken = Vec::new();
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        if parameter["Description"].as_str().is_none_or(str::is_empty) {
            broken.push(format!("the parameter {name} has no description"));
        }
        if !used.contains(name) {
            broken.push(format!("the parameter {name} is not used"));
        }
    }
    broken
}

/// A number may have a fraction or an exponent, which a function refuses, and then every invocation fails
/// although the deployment has succeeded. A pattern, which only text can have, refuses it beforehand.
pub(crate) fn are_no_numbers_that_a_function_reads(template: &Value) -> Vec<String> {
    let own = resources(template, FUNCTION).into_iter();
    let own = own.map(|(_, function)| &function["Properties"]["Environment"]);
    let read = own.chain([&template["Globals"]["Function"]["Environment"]]).flat_map(references);
    let numbers = read.filter(|name| template["Parameters"][name]["Type"] == "Number");
    let message = |name| {
        format!(
            "the parameter {name}, which a function reads, is a Number instead of a pattern's String"
        )
    };
    numbers.map(message).collect()
}

mod tests {
    use serde_json::json;

    use crate::{broken_by, put, remove};

    #[test]
    fn a_parameter_without_a_description_is_found() {
        assert_eq!(
            broken_by(|template| remove(template, "/Parameters/LogLevel/Description")),
            ["the parameter LogLevel has no description"]
        );
    }

    #[test]
    fn an_unused_parameter_is_found() {
        assert_eq!(
            broken_by(|template| {
                let idle = json!({ "Type": "String", "Description": "Does nothing." });
                put(template, "/Parameters/Idle", idle);
            }),
            ["the parameter Idle is not used"]
        );
    }

    #[test]
    fn a_number_that_a_function_reads_is_found() {
        assert_eq!(
            broken_by(|template| put(template, "/Parameters/MaxOpenOrders/Type", json!("Number"))),
            ["the parameter MaxOpenOrders, which a function reads, is a Number instead of a \
                 pattern's String"]
        );
    }
}
