use std::collections::BTreeSet;

use serde_json::Value;

use crate::{listed, resources, roles, type_of_reference};

const ALARM: &str = "AWS::CloudWatch::Alarm";
/// DynamoDB's metrics that exist for each operation by itself: an operation left out is not watched.
const PER_OPERATION: [&str; 2] = ["ThrottledRequests", "SystemErrors"];

/// An alarm that tells nobody is none; and what CloudWatch does by default where data is missing,
/// "insufficient data", is right for hardly any metric.
pub(crate) fn have_an_action_and_say_what_missing_data_means(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, alarm) in resources(template, ALARM) {
        let properties = &alarm["Properties"];
        let actions = listed(&properties["AlarmActions"]);
        let is_topic =
            |action: &&Value| type_of_reference(template, action) == Some("AWS::SNS::Topic");
        if actions.is_empty() || !actions.iter().all(is_topic) {
            broken.push(format!("{id} tells no topic of the template"));
        }
        if properties["TreatMissingData"].is_null() {
            broken.push(format!("{id} has no TreatMissingData"));
        }
    }
    broken
}

/// What the roles allow on the table is watched, operation by operation.
pub(crate) fn watch_every_operation_that_is_granted(template: &Value) -> Vec<String> {
    let granted = operations(template);
    let mut broken = Vec::new();
    for metric in PER_OPERATION {
        let watched: BTreeSet<_> = resources(template, ALARM)
            .into_iter()
            .flat_map(|(_, alarm)| watched_operations(&alarm["Properties"], metric))
            .collect();
        let missing = granted.difference(&watched);
        broken.extend(missing.map(|operation| format!("no alarm watches {metric} of {operation}")));
    }
    broken
}

/// The operations that the roles' actions stand for. A condition is checked in transactions only,
/// and all that is written may be written in one.
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
    listed(&alarm["Metrics"])
        .into_iter()
        .map(|query| &query["MetricStat"]["Metric"])
        .chain([alarm])
        .filter(|watched| watched["MetricName"] == metric)
        .flat_map(|watched| listed(&watched["Dimensions"]))
        .filter(|dimension| dimension["Name"] == "Operation")
        .filter_map(|dimension| dimension["Value"].as_str().map(str::to_owned))
        .collect()
}

mod tests {
    use serde_json::json;

    use crate::{broken_by, put, remove};

    #[test]
    fn an_alarm_that_tells_nobody_is_found() {
        assert_eq!(
            broken_by(|template| {
                put(template, "/Resources/ApiLatencyAlarm/Properties/AlarmActions", json!([]));
                remove(template, "/Resources/IteratorAgeAlarm/Properties/AlarmActions");
            }),
            [
                "ApiLatencyAlarm tells no topic of the template",
                "IteratorAgeAlarm tells no topic of the template",
            ]
        );
    }

    #[test]
    fn an_alarm_that_leaves_missing_data_to_chance_is_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/LostRecordsAlarm/Properties/TreatMissingData");
            }),
            ["LostRecordsAlarm has no TreatMissingData"]
        );
    }

    #[test]
    fn an_operation_that_no_alarm_watches_is_found() {
        assert_eq!(
            broken_by(|template| {
                let alarm = "/Resources/ThrottledRequestsAlarm/Properties/Metrics";
                let metrics = template.pointer_mut(alarm).unwrap().as_array_mut().unwrap();
                metrics.retain(|metric| metric["Id"] != "query");
            }),
            ["no alarm watches ThrottledRequests of Query"]
        );
    }
}
