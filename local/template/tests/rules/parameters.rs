use serde_json::Value;

use crate::references;

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
}
