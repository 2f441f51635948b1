//! The Runtime API of Lambda, as a function's process sees it.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::collections::{HashMap, VecDeque};
use std::iter::Peekable;
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

/// What a request is taken to be traced by, as with `Tracing: Active`.
const TRACE: &str = "Root=1-6b02af1b-d970548d307caa5c565e7a04;Parent=6f0a1b2c3d4e5f60;Sampled=0";

/// The longest that an answer may be: twice of what Lambda takes.
const MAX_BODY: usize = 12 << 20;

/// One environment's Runtime API. It serves one process, on a port of its own.
///
/// A process that works on one event at a time is asked with [`invoke`](Self::invoke), one that works
/// on several with [`serve`](Self::serve).
pub struct RuntimeApi {
    address: SocketAddr,
    messages: mpsc::UnboundedReceiver<Message>,
    /// Those who have asked for an event and have none; more than one where a function works
    /// concurrently.
    waiting: VecDeque<oneshot::Sender<Handout>>,
    /// What was handed out and is not answered, by request id.
    in_flight: HashMap<String, InFlight>,
    invocations: u64,
    server: JoinHandle<()>,
}

/// An event that was answered.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// From handing out the event until the whole answer was there.
    pub duration: Duration,
    /// What was answered.
    pub body: Bytes,
}

/// Events that are being handed out. See [`RuntimeApi::serve`].
pub struct Serving<'a, E: Iterator> {
    api: &'a mut RuntimeApi,
    events: Peekable<E>,
    handed_out: usize,
    at_once: usize,
}

struct InFlight {
    /// Its place among those that are served.
    number: usize,
    since: Instant,
}

/// What a function does next.
enum Step {
    Asked(Instant),
    Answered(usize, Answer),
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
    /// Starts it on a port that was free.
    ///
    /// # Errors
    ///
    /// When there is no such port.
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
            // It ends with its task only.
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self {
            address,
            messages,
            waiting: VecDeque::new(),
            in_flight: HashMap::new(),
            invocations: 0,
            server,
        })
    }

    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the function asks for an event, and says when it did.
    ///
    /// # Errors
    ///
    /// When it says that it cannot start.
    pub async fn ready(&mut self) -> Result<Instant, Failure> {
        match self.step().await? {
            Step::Asked(at) => Ok(at),
            Step::Answered(_, answer) => Err(Failure::Unexpected(text(&answer.body))),
        }
    }

    /// Hands out an event to the function, which must have asked for one, and waits for its
    /// answer.
    ///
    /// # Errors
    ///
    /// When it answers an error.
    pub async fn invoke(&mut self, event: impl Into<Bytes>) -> Result<Answer, Failure> {
        self.hand_out(0, event.into())?;
        loop {
            if let Step::Answered(_, answer) = self.step().await? {
                return Ok(answer);
            }
        }
    }

    /// Hands out events, each as soon as the function asks for one and fewer than `at_once` are
    /// without an answer.
    pub fn serve<E>(&mut self, events: E, at_once: usize) -> Serving<'_, E::IntoIter>
    where
        E: IntoIterator<Item: Into<Bytes>>,
    {
        Serving { api: self, events: events.into_iter().peekable(), handed_out: 0, at_once }
    }

    fn hand_out(&mut self, number: usize, event: Bytes) -> Result<(), Failure> {
        let reply = self.waiting.pop_front().ok_or(Failure::NotReady)?;
        self.invocations += 1;
        let request_id = format!("8476a536-e9f4-11e8-9739-{:012x}", self.invocations);
        let handout = Handout { request_id: request_id.clone(), event };
        self.in_flight.insert(request_id, InFlight { number, since: Instant::now() });
        reply.send(handout).map_err(|_| Failure::NotReady)
    }

    /// Waits until the function asks for an event, or answers one.
    async fn step(&mut self) -> Result<Step, Failure> {
        match self.messages.recv().await.ok_or(Failure::NotReady)? {
            Message::Next { at, reply } => {
                self.waiting.push_back(reply);
                Ok(Step::Asked(at))
            }
            Message::Answer { at, request_id, body } => {
                let Some(InFlight { number, since }) = self.in_flight.remove(&request_id) else {
                    let what = format!("the unknown request {request_id}");
                    return Err(Failure::Unexpected(what));
                };
                let body = body.map_err(|error| Failure::Error(text(&error)))?;
                Ok(Step::Answered(number, Answer { duration: at - since, body }))
            }
            Message::InitError(body) => Err(Failure::Init(text(&body))),
        }
    }
}

impl<E: Iterator<Item: Into<Bytes>>> Serving<'_, E> {
    /// The next answer, and which event it is for, counted from 0; `None` after the last.
    ///
    /// # Errors
    ///
    /// When it is an error. What is without an answer then is not waited for.
    pub async fn next(&mut self) -> Result<Option<(usize, Answer)>, Failure> {
        loop {
            while self.api.in_flight.len() < self.at_once && !self.api.waiting.is_empty() {
                let Some(event) = self.events.next() else { break };
                self.api.hand_out(self.handed_out, event.into())?;
                self.handed_out += 1;
            }
            if self.api.in_flight.is_empty() && self.events.peek().is_none() {
                return Ok(None);
            }
            if let Step::Answered(number, answer) = self.api.step().await? {
                return Ok(Some((number, answer)));
            }
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
    // The receiver is gone only when nobody measures any more.
    let _ = sender.send(message);
    StatusCode::ACCEPTED
}

fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}
