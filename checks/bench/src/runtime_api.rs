//! Lambda's Runtime API, as a function's process sees it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use crate::error::Failure;

const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:storefront";

/// The trace header of every request, as with `Tracing: Active`.
const TRACE: &str = "Root=1-6b02af1b-d970548d307caa5c565e7a04;Parent=6f0a1b2c3d4e5f60;Sampled=0";

/// The longest answer: twice Lambda's limit.
const MAX_BODY: usize = 12 << 20;

/// The Runtime API of one environment. It serves one process, on its own port, one event at a time.
pub struct RuntimeApi {
    address: SocketAddr,
    messages: mpsc::UnboundedReceiver<Message>,
    /// The function's request for an event, until it has one.
    waiting: Option<oneshot::Sender<Handout>>,
    invocations: u64,
    server: JoinHandle<()>,
}

/// The answer to an event.
#[derive(Debug)]
pub struct Answer {
    /// From sending the event until the whole answer was received.
    pub duration: Duration,
    /// The body of the answer.
    pub body: Bytes,
}

enum Message {
    Next { at: Instant, reply: oneshot::Sender<Handout> },
    Answer { at: Instant, request_id: String, body: Result<Bytes, Bytes> },
    InitError(Bytes),
}

struct Handout {
    request_id: String,
    event: Bytes,
}

type Sender = mpsc::UnboundedSender<Message>;

impl RuntimeApi {
    /// Starts the server on a free port.
    ///
    /// # Errors
    ///
    /// If no port is free.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (sender, messages) = mpsc::unbounded_channel();
        let invocation = "/2018-06-01/runtime/invocation";
        let app = Router::new()
            .route(&format!("{invocation}/next"), get(next))
            .route(&format!("{invocation}/{{id}}/response"), post(response))
            .route(&format!("{invocation}/{{id}}/error"), post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .with_state(sender);
        let listener = listener.tap_io(|stream| {
            // An event must not wait for the acknowledgement of its headers.
            let _ = stream.set_nodelay(true);
        });
        let server = tokio::spawn(async move {
            // It ends only with its task.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { address, messages, waiting: None, invocations: 0, server })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the function asks for an event, and returns when it did.
    ///
    /// # Errors
    ///
    /// If the function reports that it cannot start.
    pub async fn ready(&mut self) -> Result<Instant, Failure> {
        match self.messages.recv().await.ok_or(Failure::NotReady)? {
            Message::Next { at, reply } => {
                self.waiting = Some(reply);
                Ok(at)
            }
            Message::Answer { body, .. } => {
                Err(Failure::Unexpected(text(&body.unwrap_or_else(|error| error))))
            }
            Message::InitError(body) => Err(Failure::Init(text(&body))),
        }
    }

    /// Sends an event to the function, which must have asked for one, and waits for the answer.
    ///
    /// # Errors
    ///
    /// If the function answers with an error.
    pub async fn invoke(&mut self, event: impl Into<Bytes>) -> Result<Answer, Failure> {
        let reply = self.waiting.take().ok_or(Failure::NotReady)?;
        self.invocations += 1;
        let request_id = format!("8476a536-e9f4-11e8-9739-{:012x}", self.invocations);
        let since = Instant::now();
        let handout = Handout { request_id: request_id.clone(), event: event.into() };
        reply.send(handout).map_err(|_| Failure::NotReady)?;
        match self.messages.recv().await.ok_or(Failure::NotReady)? {
            Message::Answer { at, request_id: answered, body } if answered == request_id => {
                let body = body.map_err(|error| Failure::Error(text(&error)))?;
                Ok(Answer { duration: at - since, body })
            }
            Message::Answer { request_id, .. } => {
                Err(Failure::Unexpected(format!("an unknown request, {request_id}")))
            }
            Message::Next { .. } => {
                Err(Failure::Unexpected("nothing, and asked for another event".to_owned()))
            }
            Message::InitError(body) => Err(Failure::Init(text(&body))),
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(sender): State<Sender>) -> Response {
    let (reply, handout) = oneshot::channel();
    let _ = sender.send(Message::Next { at: Instant::now(), reply });
    let Ok(Handout { request_id, event }) = handout.await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = SystemTime::now() + Duration::from_secs(30);
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let headers = [
        (HeaderName::from_static("content-type"), "application/json".to_owned()),
        (HeaderName::from_static("lambda-runtime-aws-request-id"), request_id),
        (HeaderName::from_static("lambda-runtime-deadline-ms"), deadline.as_millis().to_string()),
        (HeaderName::from_static("lambda-runtime-invoked-function-arn"), ARN.to_owned()),
        (HeaderName::from_static("lambda-runtime-trace-id"), TRACE.to_owned()),
    ];
    (headers, event).into_response()
}

async fn response(
    State(sender): State<Sender>,
    Path(request_id): Path<String>,
    body: Bytes,
) -> StatusCode {
    answered(&sender, Message::Answer { at: Instant::now(), request_id, body: Ok(body) })
}

async fn error(
    State(sender): State<Sender>,
    Path(request_id): Path<String>,
    body: Bytes,
) -> StatusCode {
    answered(&sender, Message::Answer { at: Instant::now(), request_id, body: Err(body) })
}

async fn init_error(State(sender): State<Sender>, body: Bytes) -> StatusCode {
    answered(&sender, Message::InitError(body))
}

fn answered(sender: &Sender, message: Message) -> StatusCode {
    // The receiver is dropped only after the measurement.
    let _ = sender.send(message);
    StatusCode::ACCEPTED
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}
