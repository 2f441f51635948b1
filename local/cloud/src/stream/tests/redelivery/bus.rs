//! An EventBridge in this process, with injected faults. It replaces the SDK's HTTP client, so that
//! time can be simulated. What is not for EventBridge, it passes on to a bucket.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_eventbridge::config::http::HttpResponse;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::bucket::Bucket;

/// How long a successful call takes.
const LATENCY: Duration = Duration::from_millis(5);

const REFUSALS: [&str; 2] = ["InternalFailure", "ThrottlingException"];

/// With these, EventBridge refuses an event for good.
const FOR_GOOD: [&str; 2] = ["InvalidArgument", "MalformedDetail"];

/// With this, it refuses a call because of what is in it.
const INVALID_CALL: &str = "ValidationException";

const FAILURES: [(u16, &str); 5] = [
    (500, "InternalException"),
    (503, "ServiceUnavailable"),
    (400, "ThrottlingException"),
    (400, "ResourceNotFoundException"),
    (403, "AccessDeniedException"),
];

/// What the bus does with one call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    Accept,
    /// Accepts only the entries whose bit is not set.
    Refuse {
        entries: u16,
        code: &'static str,
    },
    /// The call itself fails.
    Fail {
        status: u16,
        code: &'static str,
    },
    /// The connection breaks.
    Reset {
        accepted: bool,
    },
    /// Never responds.
    Hang {
        accepted: bool,
    },
    /// Accepts and responds after some time, even if the caller no longer waits.
    Slow {
        milliseconds: u64,
    },
    /// Accepts, but the response is truncated.
    CutOff,
    /// Responds only for the first entries.
    Short {
        answered: usize,
        accepted: bool,
    },
}

impl Answer {
    pub(super) fn strategy() -> impl Strategy<Value = Self> {
        prop_oneof![
            3 => Just(Self::Accept),
            3 => (any::<u16>(), select(&REFUSALS))
                .prop_map(|(entries, code)| Self::Refuse { entries, code }),
            1 => (0..10_u16, select(&FOR_GOOD))
                .prop_map(|(entry, code)| Self::Refuse { entries: 1 << entry, code }),
            2 => select(&FAILURES).prop_map(|(status, code)| Self::Fail { status, code }),
            1 => Just(Self::Fail { status: 400, code: INVALID_CALL }),
            1 => any::<bool>().prop_map(|accepted| Self::Reset { accepted }),
            1 => any::<bool>().prop_map(|accepted| Self::Hang { accepted }),
            1 => (1..20_000_u64).prop_map(|milliseconds| Self::Slow { milliseconds }),
            1 => Just(Self::CutOff),
            1 => (0..10_usize, any::<bool>())
                .prop_map(|(answered, accepted)| Self::Short { answered, accepted }),
        ]
    }
}

/// The bus, and the entries that it has accepted.
#[derive(Clone, Debug)]
pub(super) struct Bus {
    state: Arc<Mutex<State>>,
    bucket: Bucket,
}

#[derive(Debug)]
struct State {
    answers: VecDeque<Answer>,
    never: HashSet<String>,
    /// Until then, no call succeeds.
    is_out_until: Option<Instant>,
    accepted: Vec<Value>,
    /// The ids of the events that were refused for good.
    refused: BTreeSet<String>,
    faults: usize,
    largest_call: usize,
}

impl Bus {
    /// Creates a bus that gives these answers, one per call, and then accepts everything. It never
    /// accepts events with the ids in `never`.
    pub(super) fn new(
        answers: impl IntoIterator<Item = Answer>,
        never: impl IntoIterator<Item = String>,
        bucket: Bucket,
    ) -> Self {
        let state = State {
            answers: answers.into_iter().collect(),
            never: never.into_iter().collect(),
            is_out_until: None,
            accepted: Vec::new(),
            refused: BTreeSet::new(),
            faults: 0,
            largest_call: 0,
        };
        Self { state: Arc::new(Mutex::new(state)), bucket }
    }

    /// Lets no call succeed until then.
    pub(super) fn go_out(&self, until: Instant) {
        self.state.lock().unwrap().is_out_until = Some(until);
    }

    /// Returns the ids of the events that it refused for good.
    pub(super) fn refused(&self) -> BTreeSet<String> {
        self.state.lock().unwrap().refused.clone()
    }

    /// Returns how many calls it did not simply accept.
    pub(super) fn faults(&self) -> usize {
        self.state.lock().unwrap().faults
    }

    pub(super) fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    /// Returns the accepted entries, in order.
    pub(super) fn accepted(&self) -> Vec<Value> {
        self.state.lock().unwrap().accepted.clone()
    }

    /// Returns the number of entries in the largest call.
    pub(super) fn largest_call(&self) -> usize {
        self.state.lock().unwrap().largest_call
    }

    fn next_answer(&self, entries: &[Value]) -> Answer {
        let mut state = self.state.lock().unwrap();
        state.largest_call = state.largest_call.max(entries.len());
        let answer = match state.is_out_until {
            Some(until) if Instant::now() < until => {
                let (status, code) = FAILURES[state.faults % FAILURES.len()];
                Answer::Fail { status, code }
            }
            _ => state.answers.pop_front().unwrap_or(Answer::Accept),
        };
        state.faults += usize::from(!matches!(answer, Answer::Accept));
        answer
    }

    /// Remembers an event that it refuses for good.
    fn refuse(&self, entry: &Value) {
        self.state.lock().unwrap().refused.insert(event_id(entry));
    }

    /// Accepts all entries except those that are refused now or always, and returns the call's
    /// results.
    fn put(&self, entries: Vec<Value>, refused: u16, code: &str) -> Vec<Value> {
        let mut results = Vec::new();
        for (position, entry) in entries.into_iter().enumerate() {
            let is_never_accepted = self.state.lock().unwrap().never.contains(&event_id(&entry));
            let code = match (refused & (1 << position) != 0, is_never_accepted) {
                (true, _) => Some(code),
                (_, true) => Some("MalformedDetail"),
                _ => None,
            };
            if let Some(code) = code {
                if FOR_GOOD.contains(&code) {
                    self.refuse(&entry);
                }
                results.push(json!({ "ErrorCode": code, "ErrorMessage": "on purpose" }));
            } else {
                results.push(json!({ "EventId": format!("event-{position}") }));
                self.state.lock().unwrap().accepted.push(entry);
            }
        }
        results
    }

    async fn answer(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        if request.headers().get("x-amz-target").is_none() {
            return self.bucket.answer(&request).await;
        }
        sleep(LATENCY).await;
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        let entries = body["Entries"].as_array().unwrap().clone();
        let results = match self.next_answer(&entries) {
            Answer::Accept => self.put(entries, 0, ""),
            Answer::Refuse { entries: refused, code } => self.put(entries, refused, code),
            Answer::Fail { status, code } => {
                if let ([entry], INVALID_CALL) = (&entries[..], code) {
                    self.refuse(entry);
                }
                return Ok(response(status, json!({ "__type": code }).to_string()));
            }
            Answer::Reset { accepted } => {
                if accepted {
                    self.put(entries, 0, "");
                }
                return Err(ConnectorError::io(
                    io::Error::from(io::ErrorKind::ConnectionReset).into(),
                ));
            }
            Answer::Hang { accepted } => {
                if accepted {
                    self.put(entries, 0, "");
                }
                std::future::pending().await
            }
            Answer::Slow { milliseconds } => {
                let accepting = async move {
                    sleep(Duration::from_millis(milliseconds)).await;
                    self.put(entries, 0, "")
                };
                tokio::spawn(accepting).await.unwrap()
            }
            Answer::CutOff => {
                self.put(entries, 0, "");
                return Ok(response(200, r#"{"FailedEntryCount":0,"Entries":[{"Event"#.to_owned()));
            }
            Answer::Short { answered, accepted } => {
                let kept =
                    if accepted { entries } else { entries.into_iter().take(answered).collect() };
                self.put(kept, 0, "").into_iter().take(answered).collect()
            }
        };
        let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
        Ok(response(200, json!({ "FailedEntryCount": failed, "Entries": results }).to_string()))
    }
}

impl HttpConnector for Bus {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().answer(request))
    }
}

pub(super) fn detail(entry: &Value) -> Value {
    serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap()
}

pub(super) fn event_id(entry: &Value) -> String {
    detail(entry)["eventId"].as_str().unwrap().to_owned()
}

fn response(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}
