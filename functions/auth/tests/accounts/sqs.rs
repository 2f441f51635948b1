//! An SQS that supports only `SendMessage`, keeps the messages, and fails on demand.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use futures_util::stream;
use serde_json::{Value, json};
use storefront_auth::AccountMails;
use storefront_core::aws;

const QUEUE_URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/AccountMails";

/// The answer to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// The message is kept, and the answer breaks off.
    KeepAndBreakOff,
    /// The message is not kept.
    Fail(u16, &'static str),
}

/// The endpoint.
pub(crate) struct Sqs {
    url: String,
    state: Arc<Mutex<Queue>>,
}

#[derive(Default)]
struct Queue {
    next: VecDeque<Answer>,
    messages: Vec<Value>,
    requests: usize,
}

impl Sqs {
    pub(crate) async fn start() -> Self {
        let state = Arc::<Mutex<Queue>>::default();
        let app = Router::new().route("/", post(send_message)).with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { url, state }
    }

    pub(crate) fn queue(&self) -> AccountMails {
        AccountMails::new(&aws::patient_emulator_config(), Some(self.url.clone()), QUEUE_URL)
    }

    /// Gives these answers next, one per request, and then keeps everything.
    pub(crate) fn answer_next(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state.lock().unwrap().next.extend(answers);
    }

    /// Takes the messages.
    pub(crate) fn messages(&self) -> Vec<Value> {
        std::mem::take(&mut self.state.lock().unwrap().messages)
    }

    /// The number of requests, whatever their outcome.
    pub(crate) fn requests(&self) -> usize {
        self.state.lock().unwrap().requests
    }
}

async fn send_message(
    State(state): State<Arc<Mutex<Queue>>>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let authorization = headers["authorization"].to_str().unwrap();
    assert!(authorization.contains("/eu-central-1/sqs/aws4_request"), "{authorization}");
    assert_eq!(headers["x-amz-target"], "AmazonSQS.SendMessage");
    let request: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(request["QueueUrl"], QUEUE_URL);
    let message = serde_json::from_str(request["MessageBody"].as_str().unwrap()).unwrap();
    let mut state = state.lock().unwrap();
    state.requests += 1;
    match state.next.pop_front() {
        None => {
            state.messages.push(message);
            json!({ "MessageId": "1" }).to_string().into_response()
        }
        Some(Answer::KeepAndBreakOff) => {
            state.messages.push(message);
            let broken: [io::Result<&str>; 2] = [Ok("{"), Err(io::ErrorKind::BrokenPipe.into())];
            Body::from_stream(stream::iter(broken)).into_response()
        }
        Some(Answer::Fail(status, code)) => {
            // AWS quotes requests in its messages.
            let body = json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": body });
            (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response()
        }
    }
}
