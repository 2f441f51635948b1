//! The local event bus: accepts `PutEvents`, and shows the events.

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
use uuid::Uuid;

/// The number of events that are kept for display. Older ones are dropped.
pub const KEPT_EVENTS: usize = 100;

/// The bus's path for the SDK's EventBridge client, on the gateway's listener.
pub(crate) const EVENTBRIDGE_PATH: &str = "/_local/eventbridge";

/// The local event bus.
///
/// It implements `PutEvents` of EventBridge's JSON protocol, so that the consumer can use the same
/// client as in production.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventBus {
    events: Arc<Mutex<VecDeque<Value>>>,
}

impl EventBus {
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

    fn publish(&self, event: Value) {
        tracing::info!("{} {}", event["detail-type"].as_str().unwrap_or_default(), event["detail"]);
        let mut events = self.lock();
        if events.len() == KEPT_EVENTS {
            events.pop_front();
        }
        events.push_back(event);
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
    let results: Vec<_> = request.entries.into_iter().map(|entry| put(&bus, entry)).collect();
    let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
    answer(StatusCode::OK, &json!({ "FailedEntryCount": failed, "Entries": results }))
}

/// Publishes an entry, unless EventBridge would reject it.
fn put(bus: &EventBus, entry: Entry) -> Value {
    let (Some(source), Some(detail_type), Some(detail)) =
        (entry.source, entry.detail_type, entry.detail)
    else {
        return json!({
            "ErrorCode": "InvalidArgument",
            "ErrorMessage": "Parameter Source, DetailType or Detail is not valid.",
        });
    };
    let Ok(detail @ Value::Object(_)) = serde_json::from_str(&detail) else {
        return json!({ "ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed." });
    };
    let id = Uuid::new_v4().to_string();
    bus.publish(json!({
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": source,
        "account": crate::ACCOUNT,
        "time": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": crate::REGION,
        "resources": entry.resources,
        "detail": detail,
    }));
    json!({ "EventId": id })
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/x-amz-json-1.1")];
    (status, content_type, body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(detail: &str) -> Entry {
        Entry {
            source: Some("storefront.orders".into()),
            detail_type: Some("OrderStatusChanged".into()),
            detail: Some(detail.into()),
            resources: Vec::new(),
        }
    }

    #[test]
    fn only_the_last_events_are_kept_the_newest_last() {
        let bus = EventBus::default();
        for number in 0..=KEPT_EVENTS {
            put(&bus, entry(&json!({ "number": number }).to_string()));
        }
        let numbers: Vec<_> =
            bus.events().iter().map(|event| event["detail"]["number"].clone()).collect();
        assert_eq!(numbers.len(), KEPT_EVENTS);
        assert_eq!((&numbers[0], &numbers[KEPT_EVENTS - 1]), (&json!(1), &json!(KEPT_EVENTS)));
    }

    #[test]
    fn an_entry_that_eventbridge_would_reject_fails_alone() {
        let bus = EventBus::default();
        assert_eq!(put(&bus, entry("not json"))["ErrorCode"], "MalformedDetail");
        assert_eq!(
            put(&bus, Entry { source: None, ..entry("{}") })["ErrorCode"],
            "InvalidArgument"
        );
        assert!(put(&bus, entry("{}"))["EventId"].is_string());
        assert_eq!(bus.events().len(), 1);
    }
}
