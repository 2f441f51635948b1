//! The binary, started as Lambda starts it.

use serde_json::json;
use storefront_testing::{ExecutionEnvironment, test_table};

use crate::all_refreshed;
use crate::records::record;

/// Starts the function. The variables that `sam local` leaves empty are empty.
async fn start(variables: &[(&str, &str)]) -> ExecutionEnvironment {
    let empty = [
        ("AWS_LAMBDA_LOG_GROUP_NAME", ""),
        ("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        ("AWS_ENDPOINT_URL", ""),
        ("RUST_LOG", ""),
        ("METRICS_NAMESPACE", ""),
    ];
    let variables = [&empty, variables].concat();
    ExecutionEnvironment::start(env!("CARGO_BIN_EXE_availability"), &variables).await
}

#[tokio::test]
async fn the_process_answers_a_batch_and_acknowledges_its_unreadable_record() {
    let table = test_table().await;
    let variables =
        [("TABLE_NAME", table.table_name()), ("AWS_ENDPOINT_URL_DYNAMODB", table.endpoint_url())];
    let mut function = start(&variables).await;
    let unknown = "PRODUCT#01930000-0000-7000-8000-0000000000ff";
    let good = record(1, unknown, &json!(1), &json!(0));
    let odd = record(2, "PRODUCT#7", &json!(1), &json!(0));
    function.invoke("request-1", &json!({ "Records": [good, odd] }));
    assert_eq!(function.answer().await.1, all_refreshed());
    function.end().await;
}

#[tokio::test]
async fn the_process_names_the_missing_variable_and_ends_if_the_table_has_no_name() {
    let function = start(&[("TABLE_NAME", ""), ("AWS_ENDPOINT_URL_DYNAMODB", "")]).await;
    let (succeeded, output) = function.ended().await;
    assert!(!succeeded);
    assert!(output.iter().any(|line| line.to_string().contains("TABLE_NAME")), "{output:?}");
}
