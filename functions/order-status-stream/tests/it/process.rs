//! The binary, started as Lambda starts it.

use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use storefront_testing::evidence;
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::bus::Bus;
use crate::records::{paid, paid_event, paid_with, sequence_number};
use crate::{BUS_NAME, failed_from};

const PATIENCE: Duration = Duration::from_secs(20);

/// Lambda's runtime API with one invocation in it.
struct Runtime {
    payload: Mutex<Option<String>>,
    answers: mpsc::UnboundedSender<Value>,
}

async fn runtime(payload: String) -> (String, mpsc::UnboundedReceiver<Value>) {
    let (answers, answered) = mpsc::unbounded_channel();
    let runtime = Arc::new(Runtime { payload: Mutex::new(Some(payload)), answers });
    let app = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(answer))
        .with_state(runtime);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, answered)
}

async fn next(State(runtime): State<Arc<Runtime>>) -> Response {
    let payload = runtime.payload.lock().unwrap().take();
    let Some(payload) = payload else {
        return std::future::pending().await;
    };
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + PATIENCE;
    let headers = [
        ("lambda-runtime-aws-request-id", "request-1".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:1:function:f".to_owned(),
        ),
    ];
    (headers, payload).into_response()
}

async fn answer(State(runtime): State<Arc<Runtime>>, body: String) -> Response {
    runtime.answers.send(serde_json::from_str(&body).unwrap()).unwrap();
    axum::http::StatusCode::ACCEPTED.into_response()
}

/// The function's process. The variables that `sam local` leaves empty are empty here.
fn start(runtime: &str, variables: &[(&str, &str)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_order-status-stream"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime)
        .env("AWS_LAMBDA_FUNCTION_NAME", "order-status-stream")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_ENDPOINT_URL", "")
        .env("AWS_ENDPOINT_URL_DYNAMODB", "")
        .env("AWS_ENDPOINT_URL_EVENTBRIDGE", "")
        .env("RUST_LOG", "")
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Ends the process, as Lambda freezes it once it has answered. What it wrote to its standard output
/// until then, which is evidence.
async fn written(mut process: Child) -> String {
    process.start_kill().unwrap();
    let output = timeout(PATIENCE, process.wait_with_output()).await.unwrap().unwrap();
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    evidence::output(&stdout);
    evidence::output(&stderr);
    stdout
}

#[tokio::test]
async fn the_process_publishes_a_batch_and_names_its_unreadable_record() {
    let bus = Bus::start().await;
    let poison = paid_with(2, "/dynamodb/NewImage/version", None);
    let payload = json!({ "Records": [paid(1), poison, paid(3)] }).to_string();
    let (address, mut answered) = runtime(payload).await;

    let process = start(
        &address,
        &[("EVENT_BUS_NAME", BUS_NAME), ("AWS_ENDPOINT_URL_EVENTBRIDGE", &bus.url)],
    );
    let answer = timeout(PATIENCE, answered.recv()).await.unwrap().unwrap();

    assert_eq!(answer, failed_from(sequence_number(2)));
    assert_eq!(bus.event_ids(), [paid_event(1)]);
    assert_eq!(bus.accepted()[0]["EventBusName"], BUS_NAME);
    written(process).await;
}

#[tokio::test]
async fn the_process_answers_with_empty_endpoint_variables() {
    let (address, mut answered) = runtime(json!({ "Records": [] }).to_string()).await;

    let process = start(&address, &[("EVENT_BUS_NAME", BUS_NAME)]);
    let answer = timeout(PATIENCE, answered.recv()).await.unwrap().unwrap();

    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    written(process).await;
}

#[tokio::test]
async fn the_process_has_written_its_metrics_when_it_answers_if_it_was_given_a_namespace() {
    for (namespace, expected) in [("storefront", 2), ("", 0)] {
        let bus = Bus::start().await;
        let (address, mut answered) = runtime(json!({ "Records": [paid(1)] }).to_string()).await;
        let variables = [
            ("EVENT_BUS_NAME", BUS_NAME),
            ("AWS_ENDPOINT_URL_EVENTBRIDGE", &bus.url),
            ("METRICS_NAMESPACE", namespace),
            ("RUST_LOG", "ERROR"),
        ];

        let process = start(&address, &variables);
        timeout(PATIENCE, answered.recv()).await.unwrap().unwrap();

        let written = written(process).await;
        assert_eq!(written.lines().count(), expected, "{written}");
        for line in written.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], namespace);
            assert_eq!(line["request_id"], "request-1");
        }
    }
}

#[tokio::test]
async fn lines_from_within_the_sdk_can_be_told_by_their_invocation() {
    let bus = Bus::start().await;
    let (address, mut answered) = runtime(json!({ "Records": [paid(1)] }).to_string()).await;
    let variables = [
        ("EVENT_BUS_NAME", BUS_NAME),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", &bus.url),
        ("RUST_LOG", "DEBUG"),
    ];

    let process = start(&address, &variables);
    timeout(PATIENCE, answered.recv()).await.unwrap().unwrap();

    let written = written(process).await;
    let mut lines = written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let access = lines.find(|line| line["message"] == "access").unwrap();
    assert_eq!(access["action"], "events:PutEvents");
    let spans = access["spans"].as_array().unwrap();
    let request = spans.iter().find(|span| span["name"] == "request").unwrap();
    assert_eq!(request["request_id"], "request-1");
}

#[tokio::test]
async fn the_process_answers_when_nobody_reads_what_it_writes() {
    let bus = Bus::start().await;
    let (address, mut answered) = runtime(json!({ "Records": [paid(1)] }).to_string()).await;
    let variables = [
        ("EVENT_BUS_NAME", BUS_NAME),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", &bus.url),
        ("METRICS_NAMESPACE", "storefront"),
    ];

    let mut process = start(&address, &variables);
    drop(process.stdout.take());
    let answer = timeout(PATIENCE, answered.recv()).await.unwrap().unwrap();

    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert_eq!(bus.event_ids(), [paid_event(1)]);
}

#[tokio::test]
async fn the_process_says_what_is_missing_and_ends_when_the_bus_has_no_name() {
    let process = start("127.0.0.1:1", &[("EVENT_BUS_NAME", "")]);

    let output = timeout(PATIENCE, process.wait_with_output()).await.unwrap().unwrap();

    assert!(!output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    evidence::output(&said);
    assert!(said.contains("EVENT_BUS_NAME"), "{said}");
}
