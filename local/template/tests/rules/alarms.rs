use std::collections::BTreeSet;

use serde_json::Value;

use crate::{ALARM, FUNCTION, functions, listed, references, resources, roles, type_of_reference};

/// Lambda metrics on which each function must have an alarm.
const OF_A_FUNCTION: [&str; 2] = ["Errors", "Throttles"];
/// The same for functions that read a stream, with an alarm as an example.
const OF_A_CONSUMER: [(&str, &str); 2] =
    [("IteratorAge", "IteratorAgeAlarm"), ("DestinationDeliveryFailures", "LostRecordsAlarm")];
/// The same for their event source mappings.
const OF_A_MAPPING: [(&str, &str); 2] = [
    ("OnFailureDestinationDeliveredEventCount", "FailedRecordsAlarm"),
    ("DroppedEventCount", "LostRecordsAlarm"),
];
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>
const MAX_METRICS: usize = 10;
const RUNBOOK: &str = include_str!("../../../../docs/operations.md");
/// DynamoDB metrics that exist per operation. An operation that is left out is not monitored.
const PER_OPERATION: [&str; 2] = ["ThrottledRequests", "SystemErrors"];

/// An alarm that notifies nobody is useless. And CloudWatch's default for missing data, "insufficient
/// data", is right for hardly any metric.
pub(crate) fn have_an_action_and_say_what_missing_data_means(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, alarm) in resources(template, ALARM) {
        let properties = &alarm["Properties"];
        let actions = listed(&properties["AlarmActions"]);
        let is_topic =
            |action: &&Value| type_of_reference(template, action) == Some("AWS::SNS::Topic");
        if actions.is_empty() || !actions.iter().all(is_topic) {
            broken.push(format!("{id} does not notify an SNS topic of the template"));
        }
        if properties["TreatMissingData"].is_null() {
            broken.push(format!("{id} has no TreatMissingData"));
        }
    }
    broken
}

/// An alarm's email must say where to read on, and that chapter must exist.
pub(crate) fn say_where_to_read_what_to_do(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, alarm) in resources(template, ALARM) {
        let description = alarm["Properties"]["AlarmDescription"].as_str().unwrap_or_default();
        let chapter = description
            .rsplit_once("See ")
            .and_then(|(_, rest)| rest.trim_end().strip_suffix(" in docs/operations.md."));
        match chapter {
            None => broken.push(format!(
                "{id} does not say what to do: end its AlarmDescription with \"See … in \
                 docs/operations.md.\""
            )),
            Some(chapter) if !RUNBOOK.contains(&format!("\n### {chapter}\n")) => {
                broken.push(format!("{id}: docs/operations.md has no chapter \"### {chapter}\""));
            }
            Some(_) => {}
        }
    }
    broken
}

/// CloudWatch rejects alarms with more metrics, and then the deployment fails.
pub(crate) fn have_no_more_metrics_than_cloudwatch_allows(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, alarm) in resources(template, ALARM) {
        let metrics = listed(&alarm["Properties"]["Metrics"]).into_iter();
        let metrics = metrics.filter(|query| !query["MetricStat"].is_null()).count();
        if metrics > MAX_METRICS {
            broken.push(format!(
                "{id} has {metrics} metrics, but CloudWatch allows at most {MAX_METRICS}: split it \
                 into several alarms"
            ));
        }
    }
    broken
}

/// Without alarms, nobody would notice a failing function.
pub(crate) fn watch_every_function(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    let mut require = |id: &str, metric: &str, what_to_add: &dyn Fn() -> String| {
        let is_watched = resources(template, ALARM)
            .into_iter()
            .flat_map(|(_, alarm)| watched(&alarm["Properties"]))
            .filter(|watched| watched["Namespace"] == "AWS/Lambda")
            .filter(|watched| watched["MetricName"] == metric)
            .any(|watched| references(&watched["Dimensions"]).contains(id));
        if !is_watched {
            broken.push(format!("{id} has no alarm on {metric}: add {}", what_to_add()));
        }
    };
    for (id, _) in resources(template, FUNCTION) {
        let name = id.strip_suffix("Function").unwrap_or(id);
        for metric in OF_A_FUNCTION {
            require(id, metric, &|| format!("{name}{metric}Alarm, like other functions"));
        }
    }
    for mapping in functions::mappings(template) {
        for (metric, example) in OF_A_CONSUMER {
            require(mapping.function, metric, &|| format!("one like {example}"));
        }
        for (metric, example) in OF_A_MAPPING {
            require(&mapping.id, metric, &|| format!("one like {example}"));
        }
    }
    broken
}

/// Every operation that the roles allow on the table must be monitored.
pub(crate) fn watch_every_operation_that_is_granted(template: &Value) -> Vec<String> {
    let granted = operations(template);
    let mut broken = Vec::new();
    for metric in PER_OPERATION {
        let watched: BTreeSet<_> = resources(template, ALARM)
            .into_iter()
            .flat_map(|(_, alarm)| watched_operations(&alarm["Properties"], metric))
            .collect();
        let missing = granted.difference(&watched);
        broken.extend(missing.map(|operation| {
            format!("no alarm watches {metric} of {operation}: add it to {metric}Alarm")
        }));
    }
    broken
}

/// Returns the operations of the actions that the roles allow. `ConditionCheckItem` stands for
/// transactions, because only they check conditions, and any write may be part of one.
fn operations(template: &Value) -> BTreeSet<String> {
    let granted = roles::statements(template)
        .into_iter()
        .flat_map(|(_, statement)| listed(&statement["Action"]))
        .filter_map(|action| action.as_str()?.strip_prefix("dynamodb:"))
        .filter(|action| !roles::STREAM_ACTIONS.contains(action));
    let mut operations: BTreeSet<_> = granted.map(str::to_owned).collect();
    if operations.remove("ConditionCheckItem") {
        operations.insert("TransactWriteItems".to_owned());
    }
    operations
}

fn watched_operations(alarm: &Value, metric: &str) -> Vec<String> {
    watched(alarm)
        .filter(|watched| watched["MetricName"] == metric)
        .flat_map(|watched| listed(&watched["Dimensions"]))
        .filter(|dimension| dimension["Name"] == "Operation")
        .filter_map(|dimension| dimension["Value"].as_str().map(str::to_owned))
        .collect()
}

/// Returns an alarm's metrics: its own, or those of its expression.
fn watched(alarm: &Value) -> impl Iterator<Item = &Value> {
    let queried = listed(&alarm["Metrics"]).into_iter();
    queried.map(|query| &query["MetricStat"]["Metric"]).chain([alarm])
}

mod tests {
    use serde_json::json;

    use crate::{broken_by, put, remove};

    #[test]
    fn an_alarm_that_notifies_nobody_is_found() {
        assert_eq!(
            broken_by(|template| {
                put(template, "/Resources/ApiLatencyAlarm/Properties/AlarmActions", json!([]));
                remove(template, "/Resources/IteratorAgeAlarm/Properties/AlarmActions");
            }),
            [
                "ApiLatencyAlarm does not notify an SNS topic of the template",
                "IteratorAgeAlarm does not notify an SNS topic of the template",
            ]
        );
    }

    #[test]
    fn an_alarm_without_a_setting_for_missing_data_is_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/LostRecordsAlarm/Properties/TreatMissingData");
            }),
            ["LostRecordsAlarm has no TreatMissingData"]
        );
    }

    #[test]
    fn an_operation_without_an_alarm_is_found() {
        assert_eq!(
            broken_by(|template| {
                let alarm = "/Resources/ThrottledRequestsAlarm/Properties/Metrics";
                let metrics = template.pointer_mut(alarm).unwrap().as_array_mut().unwrap();
                metrics.retain(|metric| metric["Id"] != "query");
            }),
            ["no alarm watches ThrottledRequests of Query: add it to ThrottledRequestsAlarm"]
        );
    }

    #[test]
    fn a_function_without_an_alarm_is_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/AuthErrorsAlarm");
                let throttles = "/Resources/UsersThrottlesAlarm/Properties/Dimensions/0/Value";
                put(template, throttles, json!({ "Ref": "OrdersFunction" }));
            }),
            [
                "AuthFunction has no alarm on Errors: add AuthErrorsAlarm, like other functions",
                "UsersFunction has no alarm on Throttles: add UsersThrottlesAlarm, like other functions",
            ]
        );
    }

    #[test]
    fn a_consumer_without_alarms_on_lost_records_is_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/IteratorAgeAlarm");
                remove(template, "/Resources/FailedRecordsAlarm");
                remove(template, "/Resources/LostRecordsAlarm");
            }),
            [
                "OrderStatusStreamFunction has no alarm on IteratorAge: add one like IteratorAgeAlarm",
                "OrderStatusStreamFunction has no alarm on DestinationDeliveryFailures: add one like \
                 LostRecordsAlarm",
                "OrderStatusStreamFunctionStatusChanges has no alarm on \
                 OnFailureDestinationDeliveredEventCount: add one like FailedRecordsAlarm",
                "OrderStatusStreamFunctionStatusChanges has no alarm on DroppedEventCount: add one \
                 like LostRecordsAlarm",
            ]
        );
    }

    #[test]
    fn an_alarm_on_more_metrics_than_cloudwatch_allows_is_found() {
        assert_eq!(
            broken_by(|template| {
                let alarm = "/Resources/SystemErrorsAlarm/Properties/Metrics";
                let metrics = template.pointer_mut(alarm).unwrap().as_array_mut().unwrap();
                let one = metrics[1].clone();
                metrics.resize(12, one);
            }),
            [
                "SystemErrorsAlarm has 11 metrics, but CloudWatch allows at most 10: split it into several alarms"
            ]
        );
    }

    #[test]
    fn an_alarm_that_does_not_say_what_to_do_is_found() {
        assert_eq!(
            broken_by(|template| {
                let description = |id| format!("/Resources/{id}/Properties/AlarmDescription");
                put(template, &description("ApiLatencyAlarm"), "Slow.");
                let elsewhere = "Lost. See LostAndFound in docs/operations.md.";
                put(template, &description("LostRecordsAlarm"), elsewhere);
            }),
            [
                "ApiLatencyAlarm does not say what to do: end its AlarmDescription with \"See … in \
                 docs/operations.md.\"",
                "LostRecordsAlarm: docs/operations.md has no chapter \"### LostAndFound\"",
            ]
        );
    }
}
