use std::collections::HashMap;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::timeout;

use crate::evidence;

/// How long a test waits for the process before it fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A function's binary in a Lambda execution environment: a process that gets its invocations from
/// the Runtime API. It is killed on drop.
pub struct ExecutionEnvironment {
    process: Child,
    events: mpsc::UnboundedSender<Event>,
    answers: mpsc::UnboundedReceiver<(String, Value)>,
    waiting: watch::Receiver<usize>,
    /// The number of invocations that it serves concurrently.
    concurrency: usize,
}

struct Event {
    request_id: String,
    payload: String,
}

/// The Runtime API of one environment.
struct RuntimeApi {
    /// Concurrent requests for the next event take turns.
    events: Mutex<mpsc::UnboundedReceiver<Event>>,
    answers: mpsc::UnboundedSender<(String, Value)>,
    /// The number of requests that wait for an event at the moment.
    waiting: watch::Sender<usize>,
}

impl ExecutionEnvironment {
    /// Starts a binary with these variables and those that Lambda sets.
    pub async fn start(binary: &str, variables: &[(&str, &str)]) -> Self {
        let (events, received) = mpsc::unbounded_channel();
        let (answered, answers) = mpsc::unbounded_channel();
        let (wait, waiting) = watch::channel(0);
        let api = RuntimeApi { events: Mutex::new(received), answers: answered, waiting: wait };
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{requestId}/response", post(answer))
            .route("/2018-06-01/runtime/invocation/{requestId}/error", post(answer))
            .with_state(Arc::new(api));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        tokio::spawn(async { axum::serve(listener, app).await });
        let process = Command::new(binary)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "function")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary can be started");
        let concurrency = variables.iter().find(|(name, _)| *name == "AWS_LAMBDA_MAX_CONCURRENCY");
        let concurrency = concurrency.map_or(1, |(_, limit)| limit.parse().expect("a number"));
        Self { process, events, answers, waiting, concurrency }
    }

    /// Queues an event for the function, with this Lambda request id.
    pub fn invoke(&self, request_id: &str, event: &Value) {
        evidence::payload(event);
        let event = Event { request_id: request_id.to_owned(), payload: event.to_string() };
        self.events.send(event).expect("the Runtime API runs");
    }

    /// Waits for the next response or error; returns it with the id of its invocation.
    pub async fn answer(&mut self) -> (String, Value) {
        match timeout(PATIENCE, self.answers.recv()).await {
            Ok(Some((request_id, answer))) => {
                evidence::payload(&answer);
                (request_id, answer)
            }
            _ => panic!("no answer; {:?}", self.process.try_wait()),
        }
    }

    /// Waits for this many responses; returns them by the ids of their invocations.
    pub async fn answers(&mut self, number: usize) -> HashMap<String, Value> {
        let mut answers = HashMap::new();
        while answers.len() < number {
            answers.extend([self.answer().await]);
        }
        answers
    }

    /// Closes the reading end of the process's output.
    pub fn close_output(&mut self) {
        drop(self.process.stdout.take());
    }

    /// Kills the process as soon as it is idle, as Lambda may do without warning. Returns the lines
    /// that it wrote until then.
    pub async fn end(mut self) -> Vec<Value> {
        let idle = self.waiting.wait_for(|waiting| *waiting == self.concurrency);
        timeout(PATIENCE, idle).await.expect("it asks for more").expect("the Runtime API runs");
        self.process.start_kill().expect("it runs");
        self.ended().await.1
    }

    /// Waits for the process to exit by itself. Returns whether it succeeded, and the lines that it
    /// wrote.
    pub async fn ended(self) -> (bool, Vec<Value>) {
        let output = timeout(PATIENCE, self.process.wait_with_output()).await;
        let output = output.expect("it ends").expect("its output can be read");
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).expect("UTF-8"));
        evidence::output(&stdout);
        evidence::output(&stderr);
        assert_eq!(stderr, "", "stderr is empty: everything is logged to stdout as JSON");
        let lines = stdout.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
        (output.status.success(), lines.collect())
    }
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    api.waiting.send_modify(|waiting| *waiting += 1);
    let Some(event) = api.events.lock().await.recv().await else {
        return std::future::pending().await;
    };
    api.waiting.send_modify(|waiting| *waiting -= 1);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let headers = [
        ("lambda-runtime-aws-request-id", event.request_id),
        ("lambda-runtime-deadline-ms", (now + PATIENCE).as_millis().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:function".to_owned(),
        ),
    ];
    (headers, event.payload).into_response()
}

async fn answer(
    State(api): State<Arc<RuntimeApi>>,
    Path(request_id): Path<String>,
    answer: String,
) -> StatusCode {
    let answer = serde_json::from_str(&answer).expect("an answer is JSON");
    // A test that has ended no longer waits for responses.
    let _ = api.answers.send((request_id, answer));
    StatusCode::ACCEPTED
}
