use serde_json::Value;

use crate::{references, resources, type_of_reference};

const TABLE: &str = "AWS::DynamoDB::Table";
/// Resources whose data is nowhere else.
const STATEFUL: [&str; 2] = [TABLE, "AWS::S3::Bucket"];

/// Only the parameter `TableInUse` knows whether the stack's own table is in use. Any other
/// reference to that table would become wrong when a restored one replaces it. And tables and
/// buckets must not be deleted with the stack.
pub(crate) fn is_what_everything_uses_and_outlives_the_stack(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, resource) in template["Resources"].as_object().unwrap() {
        if STATEFUL.iter().any(|kind| resource["Type"] == *kind) {
            for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
                if resource[policy] != "Retain" {
                    broken.push(format!("{id} needs {policy}: Retain"));
                }
            }
        }
        if resource["Type"] != "AWS::SSM::Parameter" && refers_to_the_table(template, resource) {
            broken.push(format!("{id} uses the stack's own table, whichever is in use"));
        }
    }
    broken
}

/// Returns whether a value refers to the table directly. Inside `Fn::If`, that is right: a
/// condition chooses between the stream of the table and that of a restored one.
fn refers_to_the_table(template: &Value, value: &Value) -> bool {
    match value {
        Value::Object(members) if members.len() == 1 && members.contains_key("Fn::If") => false,
        Value::Object(members)
            if ["Ref", "Fn::GetAtt"].iter().any(|name| members.contains_key(*name)) =>
        {
            type_of_reference(template, value) == Some(TABLE)
        }
        Value::Object(members) if members.contains_key("Fn::Sub") => {
            let tables = resources(template, TABLE);
            let referenced = references(value);
            tables.iter().any(|(id, _)| referenced.contains(*id))
        }
        Value::Object(members) => {
            members.values().any(|member| refers_to_the_table(template, member))
        }
        Value::Array(values) => values.iter().any(|value| refers_to_the_table(template, value)),
        _ => false,
    }
}

mod tests {
    use serde_json::json;

    use crate::{broken_by, put, remove};

    #[test]
    fn a_function_that_always_uses_the_stacks_own_table_is_found() {
        assert_eq!(
            broken_by(|template| {
                let table_name =
                    "/Resources/UsersFunction/Properties/Environment/Variables/TABLE_NAME";
                put(template, table_name, json!({ "Ref": "Table" }));
            }),
            ["UsersFunction uses the stack's own table, whichever is in use"]
        );
    }

    #[test]
    fn an_alarm_that_always_uses_the_stacks_own_table_is_found() {
        assert_eq!(
            broken_by(|template| {
                let first =
                    "/Resources/IndexThrottleEventsAlarm/Properties/Metrics/1/MetricStat/Metric";
                put(
                    template,
                    &format!("{first}/Dimensions/0/Value"),
                    json!({ "Fn::Sub": "${Table}" }),
                );
            }),
            ["IndexThrottleEventsAlarm uses the stack's own table, whichever is in use"]
        );
    }

    #[test]
    fn data_that_would_be_deleted_with_the_stack_is_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/Table/DeletionPolicy");
                put(template, "/Resources/FailedRecordsBucket/UpdateReplacePolicy", "Delete");
            }),
            [
                "FailedRecordsBucket needs UpdateReplacePolicy: Retain",
                "Table needs DeletionPolicy: Retain",
            ]
        );
    }
}
