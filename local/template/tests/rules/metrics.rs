use serde_json::Value;

use crate::{ALARM, dashboard, listed, resources};

/// Metrics of a namespace, and the sets of dimensions with which they exist. CloudWatch silently
/// accepts any other set, and the alarm never gets any data.
type Metrics = (&'static str, &'static [&'static str], &'static [&'static [&'static str]]);

/// The namespace that the functions write to, which is the stack's name.
pub(crate) const OWN: &str = "own";

const KNOWN: &[Metrics] = &[
    // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
    // `UserErrors` is missing on purpose: it is per account, and has no dimensions.
    (
        "AWS/DynamoDB",
        &["ThrottledRequests", "SystemErrors", "SuccessfulRequestLatency"],
        &[&["Operation", "TableName"]],
    ),
    (
        "AWS/DynamoDB",
        &[
            "ReadThrottleEvents",
            "WriteThrottleEvents",
            "ConsumedReadCapacityUnits",
            "ConsumedWriteCapacityUnits",
            "ProvisionedReadCapacityUnits",
            "ProvisionedWriteCapacityUnits",
        ],
        &[&["TableName"], &["GlobalSecondaryIndexName", "TableName"]],
    ),
    ("AWS/DynamoDB", &["TransactionConflict"], &[&["TableName"]]),
    // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    (
        "AWS/Lambda",
        &[
            "Errors",
            "Throttles",
            "Duration",
            "ConcurrentExecutions",
            "IteratorAge",
            "DestinationDeliveryFailures",
        ],
        &[&["FunctionName"]],
    ),
    (
        "AWS/Lambda",
        &[
            "PolledEventCount",
            "FilteredOutEventCount",
            "InvokedEventCount",
            "DroppedEventCount",
            "OnFailureDestinationDeliveredEventCount",
        ],
        &[&["EventSourceMappingUUID"]],
    ),
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    (
        "AWS/SQS",
        &[
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
        ],
        &[&["QueueName"]],
    ),
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
    // REST APIs have others: `5XXError`, `ApiName`.
    (
        "AWS/ApiGateway",
        &["4xx", "5xx", "Count", "Latency", "IntegrationLatency"],
        &[&["ApiId"], &["ApiId", "Stage"]],
    ),
];

/// Alarms and dashboards must use metrics that exist, with existing dimensions.
pub(crate) fn have_their_dimensions(template: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for (id, alarm) in resources(template, ALARM) {
        let queries = listed(&alarm["Properties"]["Metrics"]);
        let queried = queries.into_iter().map(|query| &query["MetricStat"]["Metric"]);
        let metrics =
            queried.chain([&alarm["Properties"]]).filter(|it| !it["MetricName"].is_null());
        broken.extend(metrics.filter_map(|metric| unknown(id, &of_alarm(metric))));
    }
    for (id, body) in dashboard::bodies(template) {
        let Some(body) = body else {
            broken.push(format!("{id} is not JSON"));
            continue;
        };
        broken.extend(shown_by(&body).iter().filter_map(|metric| unknown(id, metric)));
    }
    broken
}

/// What functions write is of no use unless somebody sees it.
pub(crate) fn are_on_the_dashboard(template: &Value) -> Vec<String> {
    let bodies = dashboard::bodies(template).filter_map(|(_, body)| body);
    let shown: Vec<_> = bodies.flat_map(|body| shown_by(&body)).collect();
    let is_shown = |name: &str| shown.iter().any(|it| it.namespace == OWN && it.name == name);
    let written = storefront_suite::metrics();
    let hidden = written.iter().filter(|metric| !is_shown(metric.name()));
    hidden.map(|metric| format!("the dashboard does not show {}: add it", metric.name())).collect()
}

#[derive(Debug)]
struct Metric {
    namespace: String,
    name: String,
    /// Sorted.
    dimensions: Vec<String>,
}

fn unknown(place: &str, metric: &Metric) -> Option<String> {
    if metric.namespace == OWN {
        return not_written(place, metric);
    }
    let is_known = KNOWN.iter().any(|(namespace, names, dimension_sets)| {
        *namespace == metric.namespace
            && names.contains(&metric.name.as_str())
            && dimension_sets.iter().any(|set| metric.dimensions == *set)
    });
    let Metric { namespace, name, dimensions } = metric;
    (!is_known).then(|| {
        format!(
            "{place}: unknown metric {namespace} {name} of {dimensions:?}; if it exists, add it in \
             local/template/tests/rules/metrics.rs"
        )
    })
}

/// A metric of our own that no function writes, or writes with another dimension.
fn not_written(place: &str, metric: &Metric) -> Option<String> {
    let is_written = storefront_suite::metrics().iter().any(|written| {
        written.name() == metric.name && written.dimension().into_iter().eq(&metric.dimensions)
    });
    let Metric { name, dimensions, .. } = metric;
    (!is_written).then(|| {
        format!(
            "{place}: no function writes {name} with the dimensions {dimensions:?}; the METRICS of \
             each function and of crates/http are what is written, and local/suite/src/lib.rs \
             names them"
        )
    })
}

fn of_alarm(metric: &Value) -> Metric {
    let dimensions = listed(&metric["Dimensions"]).into_iter();
    let mut dimensions: Vec<_> = dimensions.map(|dimension| text(&dimension["Name"])).collect();
    dimensions.sort();
    let namespace = match &metric["Namespace"] {
        Value::Object(_) => OWN.to_owned(),
        namespace => text(namespace),
    };
    Metric { namespace, name: text(&metric["MetricName"]), dimensions }
}

/// Returns the metrics that a dashboard shows.
fn shown_by(body: &Value) -> Vec<Metric> {
    let widgets = listed(&body["widgets"]).into_iter();
    let metrics = widgets.flat_map(|widget| listed(&widget["properties"]["metrics"]));
    metrics.filter_map(of_dashboard).collect()
}

/// Reads a metric of a widget: `[namespace, name, dimension, value, …, options]`, or an expression,
/// of which only searches name metrics. `"."` for the value above is not supported.
fn of_dashboard(metric: &Value) -> Option<Metric> {
    let mut parts: Vec<_> = metric.as_array()?.iter().collect();
    let options = parts.pop_if(|part| part.is_object());
    if let [namespace, name, dimensions @ ..] = parts.as_slice() {
        let mut dimensions: Vec<_> = dimensions.iter().step_by(2).map(|name| text(name)).collect();
        dimensions.sort();
        return Some(Metric { namespace: text(namespace), name: text(name), dimensions });
    }
    let search = options?["expression"].as_str()?.strip_prefix("SEARCH('{")?;
    // `{"namespace",dimension,…} MetricName="name"`
    let (schema, terms) = search.split_once('}')?;
    let mut schema = schema.split(',').map(|part| part.trim().trim_matches('"').to_owned());
    let (_, name) = terms.split_once("MetricName=\"")?;
    let namespace = schema.next()?;
    let mut dimensions: Vec<_> = schema.collect();
    dimensions.sort();
    Some(Metric { namespace, name: name.split('"').next()?.to_owned(), dimensions })
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

mod tests {
    use serde_json::json;

    use crate::dashboard::tests::in_dashboard;
    use crate::{broken_by, put};

    #[test]
    fn an_alarm_on_throttled_requests_without_an_operation_is_found() {
        assert_eq!(
            broken_by(|template| {
                let metric = "/Resources/SystemErrorsAlarm/Properties/Metrics/1/MetricStat/Metric";
                put(template, &format!("{metric}/MetricName"), "ThrottledRequests");
                let dimensions = format!("{metric}/Dimensions");
                template.pointer_mut(&dimensions).unwrap().as_array_mut().unwrap().pop();
            }),
            [
                "no alarm watches SystemErrors of GetItem: add it to SystemErrorsAlarm".to_owned(),
                unknown("SystemErrorsAlarm", "AWS/DynamoDB ThrottledRequests of [\"TableName\"]"),
            ]
        );
    }

    #[test]
    fn an_alarm_on_user_errors_of_a_table_is_found() {
        assert_eq!(
            broken_by(|template| {
                let metric = "/Resources/TableThrottleEventsAlarm/Properties/Metrics/1/MetricStat";
                put(template, &format!("{metric}/Metric/MetricName"), "UserErrors");
            }),
            [unknown("TableThrottleEventsAlarm", "AWS/DynamoDB UserErrors of [\"TableName\"]")]
        );
    }

    #[test]
    fn an_alarm_on_the_metric_of_another_kind_of_api_is_found() {
        assert_eq!(
            broken_by(|template| {
                let alarm = "/Resources/ApiLatencyAlarm/Properties";
                put(template, &format!("{alarm}/Dimensions"), json!([{ "Name": "ApiName" }]));
            }),
            [unknown("ApiLatencyAlarm", "AWS/ApiGateway Latency of [\"ApiName\"]")]
        );
    }

    #[test]
    fn a_graph_of_a_metric_without_its_dimension_is_found() {
        assert_eq!(
            broken_by(|template| in_dashboard(
                template,
                "\"Count\", \"ApiId\", \"${Api}\"",
                "\"Count\""
            )),
            [unknown("Dashboard", "AWS/ApiGateway Count of []")]
        );
    }

    #[test]
    fn a_metric_that_is_written_but_not_shown_is_found() {
        let other = "\"OrdersPlaced\", { \"label\": \"log-ins failed\" }";
        assert_eq!(
            broken_by(|template| in_dashboard(
                template,
                "\"LogInsFailed\", { \"label\": \"log-ins failed\" }",
                other
            )),
            ["the dashboard does not show LogInsFailed: add it"]
        );
    }

    #[test]
    fn a_search_for_a_metric_by_another_dimension_is_found() {
        assert_eq!(
            broken_by(|template| in_dashboard(template, ",Route}", ",Path}")),
            [
                "Dashboard: no function writes ConsumedReadUnits with the dimensions [\"Path\"]; the \
              METRICS of each function and of crates/http are what is written, and \
              local/suite/src/lib.rs names them"
            ]
        );
        assert_eq!(
            broken_by(|template| in_dashboard(
                template,
                "{AWS/DynamoDB,Operation,",
                "{AWS/DynamoDB,"
            )),
            [unknown("Dashboard", "AWS/DynamoDB SuccessfulRequestLatency of [\"TableName\"]")]
        );
    }

    fn unknown(place: &str, metric: &str) -> String {
        format!(
            "{place}: unknown metric {metric}; if it exists, add it in \
             local/template/tests/rules/metrics.rs"
        )
    }
}
