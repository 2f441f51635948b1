//! The triggers of a small template, with functions that record what they receive.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};
use storefront_suite::Handler;
use storefront_template::Template;
use storefront_testing::evidence;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

use crate::clock::Clock;
use crate::events::{EVENTBRIDGE_PATH, EventBus};
use crate::function::Function;
use crate::queue::{Queues, Store};
use crate::rule::Rules;
use crate::schedule::Schedules;
use crate::stop::Worker;
use crate::{Error, asynchronous, queue};

pub(crate) const BEGAN_AT: &str = "2030-01-31T12:00:30Z";

/// How a function answers an event.
#[derive(Clone)]
pub(crate) enum Answer {
    Fail,
    /// Reports the messages with these numbers in their bodies.
    Report(&'static [u64]),
    Return(Value),
    /// Takes this long.
    Take(Duration),
}

/// A function that records its events, and answers as it is told, then without an error.
#[derive(Clone)]
pub(crate) struct Recorder {
    began: Instant,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// With the seconds since the start.
    events: Vec<(u64, Value)>,
    answers: VecDeque<Answer>,
    running: usize,
    most_at_once: usize,
}

impl Recorder {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let state = State { answers: answers.into_iter().collect(), ..State::default() };
        Self { began: Instant::now(), state: Arc::new(Mutex::new(state)) }
    }

    fn handler(&self) -> Handler {
        let recorder = self.clone();
        Handler::new(move |event: LambdaEvent<Value>| {
            let recorder = recorder.clone();
            async move { recorder.handle(event.payload).await }
        })
    }

    async fn handle(&self, event: Value) -> Result<Value, &'static str> {
        let answer = {
            let mut state = self.state.lock().unwrap();
            state.events.push((self.began.elapsed().as_secs(), event.clone()));
            state.running += 1;
            state.most_at_once = state.most_at_once.max(state.running);
            state.answers.pop_front().unwrap_or(Answer::Return(Value::Null))
        };
        if let Answer::Take(duration) = answer {
            sleep(duration).await;
        }
        self.state.lock().unwrap().running -= 1;
        match answer {
            Answer::Fail => Err("on purpose"),
            Answer::Report(numbers) => {
                let records = event["Records"].as_array().unwrap().iter();
                let failed = records.filter(|record| numbers.contains(&number_in(record)));
                let failed = failed.map(|record| json!({ "itemIdentifier": record["messageId"] }));
                Ok(json!({ "batchItemFailures": failed.collect::<Vec<_>>() }))
            }
            Answer::Return(answer) => Ok(answer),
            Answer::Take(_) => Ok(Value::Null),
        }
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        self.state.lock().unwrap().events.iter().map(|(_, event)| event.clone()).collect()
    }

    /// Returns the seconds at which it was invoked, each with the number in its event's detail.
    pub(crate) fn invocations(&self) -> Vec<(u64, u64)> {
        let state = self.state.lock().unwrap();
        let number = |event: &Value| event["detail"]["number"].as_u64().unwrap();
        state.events.iter().map(|(seconds, event)| (*seconds, number(event))).collect()
    }

    /// Returns the seconds at which it was invoked, each with the numbers in its messages.
    pub(crate) fn batches(&self) -> Vec<(u64, Vec<u64>)> {
        let state = self.state.lock().unwrap();
        let numbers =
            |event: &Value| event["Records"].as_array().unwrap().iter().map(number_in).collect();
        state.events.iter().map(|(seconds, event)| (*seconds, numbers(event))).collect()
    }

    /// Returns how many invocations have run at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.lock().unwrap().most_at_once
    }
}

/// Returns the number in the detail of the event that a message contains.
pub(crate) fn number_in(record: &Value) -> u64 {
    let event: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
    event["detail"]["number"].as_u64().unwrap()
}

/// A template and its functions, with or without a data folder.
pub(crate) struct Setup {
    template: Template,
    recorders: HashMap<String, Recorder>,
    clock: Clock,
    folder: Option<TempDir>,
}

impl Setup {
    /// Takes a template's resources and, of those of its functions, the recorders. Other functions
    /// succeed.
    pub(crate) fn new<const N: usize>(resources: &str, recorders: [(&str, &Recorder); N]) -> Self {
        evidence::start();
        let recorders = recorders.map(|(id, recorder)| (id.to_owned(), recorder.clone()));
        Self {
            template: Template::parse("t.yaml", &format!("Resources:\n{resources}")).unwrap(),
            recorders: recorders.into(),
            clock: Clock::tokio(BEGAN_AT),
            folder: None,
        }
    }

    pub(crate) fn in_folder(self) -> Self {
        Self { folder: Some(tempfile::tempdir().unwrap()), ..self }
    }

    pub(crate) fn start(&self) -> Running {
        self.try_start().unwrap()
    }

    pub(crate) fn try_start(&self) -> Result<Running, Error> {
        let template = &self.template;
        let functions = template.functions()?.into_values().map(|definition| {
            let recorder = self.recorders.get(&definition.logical_id).cloned();
            let recorder = recorder.unwrap_or_else(|| Recorder::new([]));
            let function = Function::new(recorder.handler()).with_timeout(definition.timeout);
            (definition.logical_id, function)
        });
        let functions: HashMap<_, _> = functions.collect();
        let path = self.folder.as_ref().map(|folder| folder.path().join("queues.sqlite"));
        let queues = Queues::of(template, Store::open(path.as_deref(), self.clock)?)?;
        let targets = asynchronous::targets(template, &functions, &queues)?;
        let rules = Rules::of(template, &targets, &queues)?;
        let schedules = Schedules::of(template, &functions, &targets)?;
        let mut workers = schedules.start(self.clock);
        workers.extend(rules.start());
        workers.extend(queue::start(template, &functions, &queues)?);
        let api = EventBus::new(rules).routes().merge(schedules.routes()).merge(queues.routes());
        Ok(Running { api, workers })
    }
}

/// The triggers, running.
pub(crate) struct Running {
    api: Router,
    workers: Vec<Worker>,
}

impl Running {
    /// Publishes events with these numbers to the template's bus, in one request.
    pub(crate) async fn publish(&self, numbers: impl IntoIterator<Item = u64>) {
        let details = numbers.into_iter().map(|number| json!({ "number": number }));
        self.publish_to("shop", details).await;
    }

    /// Publishes events with these details to a bus, in one request.
    pub(crate) async fn publish_to(&self, bus: &str, details: impl IntoIterator<Item = Value>) {
        let entry = |detail: Value| {
            json!({
                "Source": "shop",
                "DetailType": "Happened",
                "Detail": detail.to_string(),
                "EventBusName": bus,
            })
        };
        let entries: Vec<_> = details.into_iter().map(entry).collect();
        let request = Request::post(EVENTBRIDGE_PATH)
            .header("x-amz-target", "AWSEvents.PutEvents")
            .body(json!({ "Entries": entries }).to_string().into())
            .unwrap();
        let (status, answer) = self.answer(request).await;
        assert_eq!((status, &answer["FailedEntryCount"]), (StatusCode::OK, &json!(0)), "{answer}");
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.answer(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str) -> (StatusCode, Value) {
        self.answer(Request::post(path).body(Body::empty()).unwrap()).await
    }

    async fn answer(&self, request: Request<Body>) -> (StatusCode, Value) {
        let response = self.api.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    /// Returns the messages of a queue, the newest first.
    pub(crate) async fn messages(&self, queue: &str) -> Vec<Value> {
        let (status, mut answer) = self.get(&format!("/_local/queues/{queue}")).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer["messages"].take().as_array().unwrap().clone()
    }

    /// Returns the numbers in the messages of a queue, the newest first.
    pub(crate) async fn numbers(&self, queue: &str) -> Vec<u64> {
        self.messages(queue).await.iter().map(number_in).collect()
    }

    pub(crate) async fn shutdown(self) {
        for worker in self.workers {
            worker.shutdown().await;
        }
    }

    /// Ends everything as SIGKILL would.
    pub(crate) async fn kill(self) {
        for worker in self.workers {
            worker.kill().await;
        }
    }
}

pub(crate) async fn seconds(seconds: u64) {
    sleep(Duration::from_secs(seconds)).await;
}
