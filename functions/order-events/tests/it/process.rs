//! The binary, started as Lambda starts it.

use serde_json::{Value, json};
use storefront_testing::ExecutionEnvironment;

use crate::bucket::BUCKET_NAME;
use crate::bus::Bus;
use crate::records::{paid, paid_event, paid_with};
use crate::{BUS_NAME, all_delivered};

/// Starts the function with an invocation waiting. The variables that `sam local` leaves empty are
/// empty.
async fn start(payload: &Value, variables: &[(&str, &str)]) -> ExecutionEnvironment {
    let empty = [
        ("AWS_LAMBDA_LOG_GROUP_NAME", ""),
        ("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        ("AWS_ENDPOINT_URL", ""),
        ("AWS_ENDPOINT_URL_DYNAMODB", ""),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", ""),
        ("AWS_ENDPOINT_URL_S3", ""),
        ("FAILED_RECORDS_BUCKET", BUCKET_NAME),
        ("RUST_LOG", ""),
    ];
    let variables = [&empty, variables].concat();
    let binary = env!("CARGO_BIN_EXE_order-events");
    let function = ExecutionEnvironment::start(binary, &variables).await;
    function.invoke("request-1", payload);
    function
}

#[tokio::test]
async fn the_process_publishes_a_batch_and_puts_its_unreadable_record_aside() {
    let bus = Bus::start().await;
    let poison = paid_with(2, "/dynamodb/NewImage/version", None);
    let payload = json!({ "Records": [paid(1), poison, paid(3)] });
    let variables = [
        ("EVENT_BUS_NAME", BUS_NAME),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", &*bus.url),
        ("AWS_ENDPOINT_URL_S3", &*bus.url),
    ];

    let mut function = start(&payload, &variables).await;

    assert_eq!(function.answer().await.1, all_delivered());
    assert_eq!(bus.event_ids(), [paid_event(1), paid_event(3)]);
    assert_eq!(bus.bucket.put_aside().len(), 1);
    assert_eq!(bus.accepted()[0]["EventBusName"], BUS_NAME);
    function.end().await;
}

#[tokio::test]
async fn the_process_answers_with_empty_endpoint_variables() {
    let mut function = start(&json!({ "Records": [] }), &[("EVENT_BUS_NAME", BUS_NAME)]).await;

    assert_eq!(function.answer().await.1, json!({ "batchItemFailures": [] }));
    function.end().await;
}

#[tokio::test]
async fn the_process_writes_its_metrics_before_it_asks_for_more_if_it_has_a_namespace() {
    for (namespace, expected) in [("storefront", 3), ("", 0)] {
        let bus = Bus::start().await;
        let variables = [
            ("EVENT_BUS_NAME", BUS_NAME),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", &bus.url),
            ("METRICS_NAMESPACE", namespace),
            ("RUST_LOG", "ERROR"),
        ];

        let mut function = start(&json!({ "Records": [paid(1)] }), &variables).await;
        function.answer().await;

        let lines = function.end().await;
        assert_eq!(lines.len(), expected, "{lines:?}");
        for line in lines {
            assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], namespace);
            assert_eq!(line["request_id"], "request-1");
        }
    }
}

#[tokio::test]
async fn log_lines_from_within_the_sdk_name_their_invocation() {
    let bus = Bus::start().await;
    let variables = [
        ("EVENT_BUS_NAME", BUS_NAME),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", &bus.url),
        ("RUST_LOG", "DEBUG"),
    ];

    let mut function = start(&json!({ "Records": [paid(1)] }), &variables).await;
    function.answer().await;

    let lines = function.end().await;
    let access = lines.iter().find(|line| line["message"] == "access").unwrap();
    assert_eq!(access["action"], "events:PutEvents");
    let spans = access["spans"].as_array().unwrap();
    let request = spans.iter().find(|span| span["name"] == "request").unwrap();
    assert_eq!(request["request_id"], "request-1");
}

#[tokio::test]
async fn the_process_answers_even_if_nobody_reads_its_output() {
    let bus = Bus::start().await;
    let variables = [
        ("EVENT_BUS_NAME", BUS_NAME),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", &bus.url),
        ("METRICS_NAMESPACE", "storefront"),
    ];

    let mut function = start(&json!({ "Records": [paid(1)] }), &variables).await;
    function.close_output();

    assert_eq!(function.answer().await.1, json!({ "batchItemFailures": [] }));
    assert_eq!(bus.event_ids(), [paid_event(1)]);
}

#[tokio::test]
async fn the_process_names_the_missing_variable_and_ends_if_the_bus_or_the_bucket_has_no_name() {
    for missing in ["EVENT_BUS_NAME", "FAILED_RECORDS_BUCKET"] {
        let variables = [("EVENT_BUS_NAME", BUS_NAME), (missing, "")];
        let function = start(&json!({ "Records": [] }), &variables).await;

        let (succeeded, output) = function.ended().await;
        assert!(!succeeded);
        assert!(output.iter().any(|line| line.to_string().contains(missing)), "{output:?}");
    }
}
