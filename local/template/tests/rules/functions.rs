use serde_json::Value;

use crate::{FUNCTION, listed, references, resources, type_of_reference};

/// Events from a stream, in which a record that keeps failing blocks those behind it.
const STREAMS: [&str; 2] = ["DynamoDB", "Kinesis"];
/// Seconds that API Gateway waits for a route's function.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>
const ROUTE: u64 = 30;
/// The same for an authorizer.
const AUTHORIZER: u64 = 10;

/// Seconds after which a record must be given up: an hour before the stream forgets it.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>
const OLDEST: i64 = 23 * 60 * 60;

/// If Lambda creates a log group, it keeps the logs, and their costs, forever.
pub(crate) fn have_a_log_group_with_a_retention_period(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, function) in resources(template, FUNCTION) {
        let group = &function["Properties"]["LoggingConfig"]["LogGroup"];
        if type_of_reference(template, group) != Some("AWS::Logs::LogGroup") {
            let name = id.strip_suffix("Function").unwrap_or(id);
            broken.push(format!(
                "{id} has no log group in the template: add {name}LogGroup and name it in \
                 LoggingConfig"
            ));
        }
    }
    for (id, group) in resources(template, "AWS::Logs::LogGroup") {
        if group["Properties"]["RetentionInDays"].is_null() {
            broken.push(format!("{id} has no RetentionInDays: !Ref LogRetentionDays"));
        }
    }
    broken
}

/// A function that runs longer than its caller waits costs money, and nobody gets its response.
pub(crate) fn time_out_before_their_caller_does(template: &Value) -> Vec<String> {
    let authorizers = resources(template, "AWS::Serverless::HttpApi")
        .into_iter()
        .flat_map(|(_, api)| references(&api["Properties"]["Auth"]["Authorizers"]))
        .collect::<Vec<_>>();
    let mut broken = Vec::new();
    for (id, function) in resources(template, FUNCTION) {
        let timeouts = [&function["Properties"], &template["Globals"]["Function"]];
        let Some(timeout) = timeouts.iter().find_map(|scope| scope["Timeout"].as_u64()) else {
            broken.push(format!("{id} has no Timeout: Lambda's default, 3 seconds, is too short"));
            continue;
        };
        let events = function["Properties"]["Events"].as_object().into_iter().flatten();
        let waits = if authorizers.iter().any(|authorizer| authorizer == id) {
            AUTHORIZER
        } else if events.into_iter().any(|(_, event)| event["Type"] == "HttpApi") {
            ROUTE
        } else {
            continue;
        };
        if timeout > waits {
            broken.push(format!(
                "{id} may take {timeout} seconds, but API Gateway waits {waits}: lower its Timeout"
            ));
        }
    }
    broken
}

/// Without a filter, every write of the table would invoke the consumer and cost money.
pub(crate) fn read_a_stream_through_a_filter(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for Mapping { name, properties: mapping, .. } in mappings(template) {
        if listed(&mapping["FilterCriteria"]["Filters"]).is_empty() {
            broken.push(format!("{name} has no FilterCriteria: each write would invoke it"));
        }
    }
    broken
}

/// One failing record must neither take back those before it nor take along those behind it.
pub(crate) fn isolate_a_record_that_fails(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for Mapping { name, properties: mapping, .. } in mappings(template) {
        let response_types = listed(&mapping["FunctionResponseTypes"]);
        if !response_types.iter().any(|kind| **kind == "ReportBatchItemFailures") {
            broken.push(format!("{name} has no FunctionResponseTypes: [ReportBatchItemFailures]"));
        }
        if mapping["BisectBatchOnFunctionError"] != true {
            broken.push(format!("{name} has no BisectBatchOnFunctionError: true"));
        }
    }
    broken
}

/// A stream's consumer must give up a failing record before the stream forgets it, and keep it.
pub(crate) fn give_up_and_keep_records_that_keep_failing(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for Mapping { name, properties: mapping, .. } in mappings(template) {
        // Minus one means forever.
        let age = mapping["MaximumRecordAgeInSeconds"].as_i64();
        if age.is_none_or(|age| !(0..=OLDEST).contains(&age)) {
            broken.push(format!(
                "{name} has no MaximumRecordAgeInSeconds of at most {OLDEST}: the stream forgets a \
                 record after 24 hours"
            ));
        }
        if mapping["DestinationConfig"]["OnFailure"]["Destination"].is_null() {
            broken.push(format!("{name} has no on-failure destination"));
        }
    }
    broken
}

/// An event source mapping that reads a stream.
pub(crate) struct Mapping<'a> {
    /// Its name in messages: the function and its event.
    name: String,
    /// The logical id that SAM generates.
    pub(crate) id: String,
    /// The logical id of the function.
    pub(crate) function: &'a str,
    properties: &'a Value,
}

pub(crate) fn mappings(template: &Value) -> Vec<Mapping<'_>> {
    let mut found = Vec::new();
    for (function, resource) in resources(template, FUNCTION) {
        for (event, definition) in
            resource["Properties"]["Events"].as_object().into_iter().flatten()
        {
            if STREAMS.iter().any(|kind| definition["Type"] == *kind) {
                let name = format!("{function}.{event}");
                let id = format!("{function}{event}");
                found.push(Mapping { name, id, function, properties: &definition["Properties"] });
            }
        }
    }
    found
}

mod tests {
    use serde_json::json;

    use crate::{broken_by, put, remove};

    const MAPPING: &str =
        "/Resources/OrderStatusStreamFunction/Properties/Events/StatusChanges/Properties";

    #[test]
    fn a_function_without_a_log_group_is_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/AuthFunction/Properties/LoggingConfig/LogGroup");
            }),
            ["AuthFunction has no log group in the template: add AuthLogGroup and name it in \
              LoggingConfig"]
        );
    }

    #[test]
    fn a_log_group_that_keeps_everything_is_found() {
        assert_eq!(
            broken_by(|template| {
                remove(template, "/Resources/ApiLogGroup/Properties/RetentionInDays");
            }),
            ["ApiLogGroup has no RetentionInDays: !Ref LogRetentionDays"]
        );
    }

    #[test]
    fn a_timeout_longer_than_the_caller_waits_is_found() {
        assert_eq!(
            broken_by(|template| {
                put(template, "/Resources/AuthorizerFunction/Properties/Timeout", 11);
                remove(template, "/Resources/OrdersFunction/Properties/Timeout");
                put(template, "/Resources/UsersFunction/Properties/Timeout", 31);
            }),
            [
                "AuthorizerFunction may take 11 seconds, but API Gateway waits 10: lower its Timeout",
                "OrdersFunction has no Timeout: Lambda's default, 3 seconds, is too short",
                "UsersFunction may take 31 seconds, but API Gateway waits 30: lower its Timeout",
            ]
        );
    }

    #[test]
    fn a_mapping_that_retries_until_the_stream_forgets_the_record_is_found() {
        let age = format!("{MAPPING}/MaximumRecordAgeInSeconds");
        let broken = "OrderStatusStreamFunction.StatusChanges has no MaximumRecordAgeInSeconds of \
                      at most 82800: the stream forgets a record after 24 hours";
        for forever in [json!(-1), json!(86_400)] {
            assert_eq!(broken_by(|template| put(template, &age, forever.clone())), [broken]);
        }
        assert_eq!(broken_by(|template| remove(template, &age)), [broken]);
    }

    #[test]
    fn a_mapping_without_a_filter_is_found() {
        assert_eq!(
            broken_by(|template| remove(template, &format!("{MAPPING}/FilterCriteria"))),
            ["OrderStatusStreamFunction.StatusChanges has no FilterCriteria: each write would \
              invoke it"]
        );
    }

    #[test]
    fn a_mapping_that_does_not_isolate_a_failing_record_is_found() {
        assert_eq!(
            broken_by(|template| {
                put(template, &format!("{MAPPING}/FunctionResponseTypes"), json!([]));
                remove(template, &format!("{MAPPING}/BisectBatchOnFunctionError"));
            }),
            [
                "OrderStatusStreamFunction.StatusChanges has no FunctionResponseTypes: \
                 [ReportBatchItemFailures]",
                "OrderStatusStreamFunction.StatusChanges has no BisectBatchOnFunctionError: true",
            ]
        );
    }

    #[test]
    fn every_rule_for_a_mapping_also_holds_for_a_second_one() {
        let broken = broken_by(|template| {
            let event = json!({ "Type": "DynamoDB", "Properties": {} });
            put(template, "/Resources/UsersFunction/Properties/Events/Changes", event);
        });
        let begins = |start: &str| {
            assert!(broken.iter().any(|rule| rule.starts_with(start)), "{start}: {broken:#?}");
        };
        begins("UsersFunction.Changes has no FilterCriteria");
        begins("UsersFunction.Changes has no FunctionResponseTypes");
        begins("UsersFunction.Changes has no BisectBatchOnFunctionError");
        begins("UsersFunction.Changes has no MaximumRecordAgeInSeconds");
        begins("UsersFunction.Changes has no on-failure destination");
        begins("UsersFunction has no alarm on IteratorAge");
        begins("UsersFunction has no alarm on DestinationDeliveryFailures");
        begins("UsersFunctionChanges has no alarm on OnFailureDestinationDeliveredEventCount");
        begins("UsersFunctionChanges has no alarm on DroppedEventCount");
        begins("the dashboard shows no IteratorAge of UsersFunction");
    }

    #[test]
    fn a_mapping_that_discards_records_is_found() {
        assert_eq!(
            broken_by(|template| remove(template, &format!("{MAPPING}/DestinationConfig"))),
            ["OrderStatusStreamFunction.StatusChanges has no on-failure destination"]
        );
    }
}
