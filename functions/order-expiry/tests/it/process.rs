//! The binary, started as Lambda starts it.

use serde_json::json;
use storefront_testing::{ExecutionEnvironment, test_table};

use crate::event;

#[tokio::test]
async fn the_process_answers_the_event_of_the_schedule() {
    let table = test_table().await;
    // The variables that `sam local` leaves empty are empty.
    let variables = [
        ("TABLE_NAME", table.table_name()),
        ("AWS_ENDPOINT_URL_DYNAMODB", table.endpoint_url()),
        ("AWS_ENDPOINT_URL", ""),
        ("RUST_LOG", ""),
        ("METRICS_NAMESPACE", ""),
    ];
    let binary = env!("CARGO_BIN_EXE_order-expiry");
    let mut function = ExecutionEnvironment::start(binary, &variables).await;
    function.invoke("request-1", &event());
    let nothing = json!({ "expired": 0, "failed": 0, "more": false });
    assert_eq!(function.answer().await.1, nothing);
    function.end().await;
}

#[tokio::test]
async fn the_process_names_the_missing_variable_and_ends_if_the_table_has_no_name() {
    let binary = env!("CARGO_BIN_EXE_order-expiry");
    let variables = [("TABLE_NAME", ""), ("AWS_ENDPOINT_URL_DYNAMODB", "")];
    let (succeeded, output) = ExecutionEnvironment::start(binary, &variables).await.ended().await;
    assert!(!succeeded);
    assert!(output.iter().any(|line| line.to_string().contains("TABLE_NAME")), "{output:?}");
}
