//! An EventBridge endpoint that supports only `PutEvents` and fails on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

use crate::bucket::Bucket;

/// The endpoint's response to one call.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Accepts every entry.
    Accept,
    /// Accepts all entries except the one at this position, which fails with this code.
    Refuse(usize, &'static str),
    /// The call itself fails.
    Fail(StatusCode, &'static str),
    /// Answers for the first entries only.
    Partial(usize),
    /// Accepts every entry, but answers only after [`Bus::release`].
    Hold,
    /// Never answers.
    Hang,
}

#[derive(Default)]
struct Script {
    next: VecDeque<Answer>,
    then: Option<Answer>,
    calls: Vec<Vec<Value>>,
    accepted: Vec<Value>,
}

/// Held calls: how many have arrived, and how many may be answered.
struct Held {
    arrived: watch::Sender<Arrived>,
    may_go: Semaphore,
}

#[derive(Default)]
struct Arrived {
    calls: usize,
    in_flight: usize,
    most_in_flight: usize,
}

/// The endpoint, and what it received. The bucket of failed records is at the same one.
pub(crate) struct Bus {
    pub(crate) url: String,
    pub(crate) bucket: Bucket,
    script: Arc<Mutex<Script>>,
    held: Arc<Held>,
}

impl Bus {
    /// An endpoint that accepts everything.
    pub(crate) async fn start() -> Self {
        Self::scripted([], Answer::Accept).await
    }

    /// An endpoint that gives the `next` answers, one per call, and `then` forever after.
    pub(crate) async fn scripted(next: impl IntoIterator<Item = Answer>, then: Answer) -> Self {
        let script = Arc::new(Mutex::new(Script {
            next: next.into_iter().collect(),
            then: Some(then),
            ..Script::default()
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let held = Arc::new(Held { arrived: watch::Sender::default(), may_go: Semaphore::new(0) });
        let state = (Arc::clone(&script), Arc::clone(&held));
        let bucket = Bucket::default();
        let app = Router::new().route("/", post(put_events)).with_state(state);
        let app = app.merge(bucket.routes());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, bucket, script, held }
    }

    /// Accepts everything from now on.
    pub(crate) fn recover(&self) {
        let mut script = self.script.lock().unwrap();
        script.next.clear();
        script.then = Some(Answer::Accept);
    }

    /// Waits until this many held calls have arrived.
    pub(crate) async fn held(&self, calls: usize) {
        self.held.arrived.subscribe().wait_for(|arrived| arrived.calls >= calls).await.unwrap();
    }

    /// Answers one held call.
    pub(crate) fn release(&self) {
        self.held.may_go.add_permits(1);
    }

    /// The most calls that were held at once.
    pub(crate) fn most_held(&self) -> usize {
        self.held.arrived.borrow().most_in_flight
    }

    /// The entries of each call, whatever its outcome.
    pub(crate) fn calls(&self) -> Vec<Vec<Value>> {
        self.script.lock().unwrap().calls.clone()
    }

    /// The entries that were accepted, in order.
    pub(crate) fn accepted(&self) -> Vec<Value> {
        self.script.lock().unwrap().accepted.clone()
    }

    /// The `eventId` of each accepted entry, in order.
    pub(crate) fn event_ids(&self) -> Vec<String> {
        self.accepted()
            .iter()
            .map(|entry| detail(entry)["eventId"].as_str().unwrap().to_owned())
            .collect()
    }
}

impl Held {
    async fn hold(&self) {
        self.arrived.send_modify(|arrived| {
            arrived.calls += 1;
            arrived.in_flight += 1;
            arrived.most_in_flight = arrived.most_in_flight.max(arrived.in_flight);
        });
        self.may_go.acquire().await.unwrap().forget();
        self.arrived.send_modify(|arrived| arrived.in_flight -= 1);
    }
}

/// An entry's detail, which is JSON in a string.
pub(crate) fn detail(entry: &Value) -> Value {
    serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap()
}

async fn put_events(
    State((script, held)): State<(Arc<Mutex<Script>>, Arc<Held>)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    assert_eq!(headers["x-amz-target"], "AWSEvents.PutEvents");
    let request: Value = serde_json::from_str(&body).unwrap();
    let entries = request["Entries"].as_array().unwrap().clone();
    assert!((1..=10).contains(&entries.len()), "PutEvents takes 1 to 10 entries");

    let answer = {
        let mut script = script.lock().unwrap();
        script.calls.push(entries.clone());
        script.next.pop_front().or_else(|| script.then.clone()).unwrap()
    };
    let (refused, code, answered) = match answer {
        Answer::Accept => (None, "", entries.len()),
        Answer::Refuse(position, code) => (Some(position), code, entries.len()),
        Answer::Partial(answered) => (None, "", answered),
        Answer::Fail(status, code) => {
            // AWS quotes requests in its messages.
            return (status, json!({ "__type": code, "message": body }).to_string())
                .into_response();
        }
        Answer::Hold => {
            held.hold().await;
            (None, "", entries.len())
        }
        Answer::Hang => std::future::pending().await,
    };

    let mut results = Vec::new();
    for (position, entry) in entries.into_iter().enumerate().take(answered) {
        if Some(position) == refused {
            let message = format!("refused: {entry}");
            results.push(json!({ "ErrorCode": code, "ErrorMessage": message }));
        } else {
            results.push(json!({ "EventId": format!("event-{position}") }));
            script.lock().unwrap().accepted.push(entry);
        }
    }
    let failed = usize::from(refused.is_some());
    json!({ "FailedEntryCount": failed, "Entries": results }).to_string().into_response()
}
