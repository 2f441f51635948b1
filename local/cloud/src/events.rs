//! The local event buses: accept `PutEvents`, show the events, and hand them to the rules.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use storefront_template::Bus;
use uuid::Uuid;

use crate::rule::Rules;

/// The number of events that are kept for display. Older ones are dropped.
pub const KEPT_EVENTS: usize = 100;

/// The bus's path for the SDK's EventBridge client, on the gateway's listener.
pub(crate) const EVENTBRIDGE_PATH: &str = "/_local/eventbridge";

/// The local event buses.
///
/// They implement `PutEvents` of EventBridge's JSON protocol, so that the consumer can use the same
/// client as in production.
#[derive(Clone)]
pub(crate) struct EventBus {
    events: Arc<Mutex<VecDeque<Value>>>,
    rules: Rules,
}

impl EventBus {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { events: Arc::default(), rules }
    }

    /// Returns the last events, the newest last, in the form that rules and targets receive.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.lock().iter().cloned().collect()
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new()
            .route("/_local/events", get(list))
            .route(EVENTBRIDGE_PATH, post(put_events))
            .route(&format!("{EVENTBRIDGE_PATH}/"), post(put_events))
            .with_state(self.clone())
    }

    fn show(&self, event: Value) {
        tracing::info!("{} {}", event["detail-type"].as_str().unwrap_or_default(), event["detail"]);
        let mut events = self.lock();
        if events.len() == KEPT_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
    }

    /// Publishes the entries of a request. Returns the result of each.
    async fn put(&self, entries: Vec<Entry>) -> Vec<Value> {
        let read: Vec<_> = entries.into_iter().map(event).collect();
        let events = read.iter().flatten().map(|(bus, event)| (*bus, event));
        if let Err(error) = self.rules.hand_over(events).await {
            tracing::error!("cannot hand over events: {error}");
            let failure = json!({
                "ErrorCode": "InternalFailure",
                "ErrorMessage": "The local event bus cannot keep events; its log says why.",
            });
            return vec![failure; read.len()];
        }
        let result = |read: Result<(Bus, Value), Value>| match read {
            Ok((_, event)) => {
                let result = json!({ "EventId": event["id"] });
                self.show(event);
                result
            }
            Err(rejected) => rejected,
        };
        read.into_iter().map(result).collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Value>> {
        // A panic never leaves a half-written list of events.
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn list(State(bus): State<EventBus>) -> Json<Value> {
    Json(json!({ "events": bus.events() }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutEvents {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    event_bus_name: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
}

async fn put_events(State(bus): State<EventBus>, headers: HeaderMap, body: String) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if target != Some("AWSEvents.PutEvents") {
        return answer(
            StatusCode::BAD_REQUEST,
            &json!({
                "__type": "UnknownOperationException",
                "message": "the local event bus supports only PutEvents",
            }),
        );
    }
    let request: PutEvents = match serde_json::from_str(&body) {
        Ok(request) => request,
        Err(error) => {
            return answer(
                StatusCode::BAD_REQUEST,
                &json!({
                    "__type": "SerializationException",
                    "message": error.to_string(),
                }),
            );
        }
    };
    let results = bus.put(request.entries).await;
    let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
    answer(StatusCode::OK, &json!({ "FailedEntryCount": failed, "Entries": results }))
}

/// Returns an entry's bus and event, or the result of an entry that EventBridge would reject.
fn event(entry: Entry) -> Result<(Bus, Value), Value> {
    let (Some(source), Some(detail_type), Some(detail)) =
        (entry.source, entry.detail_type, entry.detail)
    else {
        return Err(json!({
            "ErrorCode": "InvalidArgument",
            "ErrorMessage": "Parameter Source, DetailType or Detail is not valid.",
        }));
    };
    let Ok(detail @ Value::Object(_)) = serde_json::from_str(&detail) else {
        return Err(
            json!({ "ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed." }),
        );
    };
    let bus = entry.event_bus_name.as_deref().unwrap_or("default");
    let is_default = bus == "default" || bus.ends_with(":event-bus/default");
    let event = json!({
        "version": "0",
        "id": Uuid::new_v4().to_string(),
        "detail-type": detail_type,
        "source": source,
        "account": crate::ACCOUNT,
        "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": crate::REGION,
        "resources": entry.resources,
        "detail": detail,
    });
    Ok((if is_default { Bus::Default } else { Bus::Custom }, event))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, content_type, body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use storefront_template::Template;

    use super::*;
    use crate::clock::Clock;
    use crate::queue::{Queues, Store};

    fn bus() -> EventBus {
        let template = Template::parse("t.yaml", "Resources: {}\n").unwrap();
        let queues = Queues::of(&template, Store::open(None, Clock::System).unwrap()).unwrap();
        EventBus::new(Rules::of(&template, &HashMap::new(), &queues).unwrap())
    }

    fn entry(detail: &str) -> Entry {
        Entry {
            source: Some("storefront.orders".into()),
            detail_type: Some("OrderStatusChanged".into()),
            detail: Some(detail.into()),
            event_bus_name: None,
            resources: Vec::new(),
        }
    }

    #[tokio::test]
    async fn only_the_last_events_are_kept_the_newest_last() {
        let bus = bus();
        for number in 0..=KEPT_EVENTS {
            bus.put(vec![entry(&json!({ "number": number }).to_string())]).await;
        }
        let numbers: Vec<_> =
            bus.events().iter().map(|event| event["detail"]["number"].clone()).collect();
        assert_eq!(numbers.len(), KEPT_EVENTS);
        assert_eq!((&numbers[0], &numbers[KEPT_EVENTS - 1]), (&json!(1), &json!(KEPT_EVENTS)));
    }

    #[tokio::test]
    async fn an_entry_that_eventbridge_would_reject_fails_alone() {
        let bus = bus();
        let without_source = Entry { source: None, ..entry("{}") };
        let results = bus.put(vec![entry("not json"), without_source, entry("{}")]).await;
        assert_eq!(results[0]["ErrorCode"], "MalformedDetail");
        assert_eq!(results[1]["ErrorCode"], "InvalidArgument");
        assert_eq!(results[2]["EventId"], bus.events()[0]["id"]);
        assert_eq!(bus.events().len(), 1);
    }
}
