use serde_json::Value;

use crate::{resources, type_of_reference};

/// Events that are read from a stream, where a record that keeps failing holds up those behind it.
const STREAMS: [&str; 2] = ["DynamoDB", "Kinesis"];

/// A log group that Lambda makes by itself keeps its lines, and their cost, for ever.
pub(crate) fn have_a_log_group_that_forgets(template: &Value) -> Vec<String> {
    let without_group = resources(template, "AWS::Serverless::Function")
        .into_iter()
        .filter(|(_, function)| {
            let group = &function["Properties"]["LoggingConfig"]["LogGroup"];
            type_of_reference(template, group) != Some("AWS::Logs::LogGroup")
        })
        .map(|(id, _)| format!("{id} has no log group of the template"));
    let without_end = resources(template, "AWS::Logs::LogGroup")
        .into_iter()
        .filter(|(_, group)| group["Properties"]["RetentionInDays"].is_null())
        .map(|(id, _)| format!("{id} has no RetentionInDays"));
    without_group.chain(without_end).collect()
}

/// A stream's consumer gives up a record some time, and it is kept.
pub(crate) fn give_up_records_that_keep_failing_and_keep_them(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (name, mapping) in mappings(template) {
        // Minus one stands for ever.
        for limit in ["MaximumRetryAttempts", "MaximumRecordAgeInSeconds"] {
            if mapping[limit].as_i64().is_none_or(|limit| limit < 0) {
                broken.push(format!("{name} has no {limit}"));
            }
        }
        if mapping["DestinationConfig"]["OnFailure"]["Destination"].is_null() {
            broken.push(format!("{name} has no destination on failure"));
        }
    }
    broken
}

fn mappings(template: &Value) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    for (function, resource) in resources(template, "AWS::Serverless::Function") {
        for (event, definition) in
            resource["Properties"]["Events"].as_object().into_iter().flatten()
        {
            if STREAMS.iter().any(|kind| definition["Type"] == *kind) {
                found.push((format!("{function}.{event}"), &definition["Properties"]));
            }
        }
    }
    let plain = resources(template, "AWS::Lambda::EventSourceMapping").into_iter();
    found.extend(plain.map(|(id, mapping)| (id.to_owned(), &mapping["Properties"])));
    found
}

mod tests {
    use crate::{broken_by, put, remove};

    const MAPPING: &str =
        "/Resources/OrderStatusStreamFunction/Properties/Events/StatusChanges/Properties";

    #[test]
    fn a_function_without_a_log_group_is_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/AuthFunction/Properties/LoggingConfig/LogGroup");
            }),
            ["AuthFunction has no log group of the template"]
        );
    }

    #[test]
    fn a_log_group_that_keeps_everything_is_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/ApiLogGroup/Properties/RetentionInDays");
            }),
            ["ApiLogGroup has no RetentionInDays"]
        );
    }

    #[test]
    fn a_mapping_that_tries_for_ever_is_found() {
        assert_eq!(
            broken_by(|template| {
                put(template, &format!("{MAPPING}/MaximumRetryAttempts"), -1);
                remove(template, &format!("{MAPPING}/MaximumRecordAgeInSeconds"));
            }),
            [
                "OrderStatusStreamFunction.StatusChanges has no MaximumRetryAttempts",
                "OrderStatusStreamFunction.StatusChanges has no MaximumRecordAgeInSeconds",
            ]
        );
    }

    #[test]
    fn a_mapping_that_throws_records_away_is_found() {
        assert_eq!(
            broken_by(|template| remove(template, &format!("{MAPPING}/DestinationConfig"))),
            ["OrderStatusStreamFunction.StatusChanges has no destination on failure"]
        );
    }
}
