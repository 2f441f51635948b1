//! An event bus that rejects the entries it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct Bus {
    pub(crate) url: String,
    state: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    accepted: Vec<String>,
    /// The code with which each event is refused.
    refused: HashMap<String, &'static str>,
    is_closed: bool,
}

impl Bus {
    pub(crate) async fn start() -> Self {
        let state = Arc::<Mutex<Inner>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(put_events).with_state(Arc::clone(&state));
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { url, state }
    }

    /// Makes the entry of this event fail, in every call.
    pub(crate) fn refuse(&self, event_id: &str) {
        self.refuse_with("InternalFailure", event_id);
    }

    /// Does the same with this code.
    pub(crate) fn refuse_with(&self, code: &'static str, event_id: &str) {
        self.lock().refused.insert(event_id.to_owned(), code);
    }

    /// Makes every call fail.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
    }

    pub(crate) fn recover(&self) {
        *self.lock() = Inner::default();
    }

    /// Returns the `eventId` of each accepted entry, in order.
    pub(crate) fn accepted(&self) -> Vec<String> {
        self.lock().accepted.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap()
    }
}

async fn put_events(State(state): State<Arc<Mutex<Inner>>>, body: String) -> Response {
    let request: Value = serde_json::from_str(&body).unwrap();
    let mut state = state.lock().unwrap();
    if state.is_closed {
        let refusal = json!({ "__type": "AccessDeniedException", "message": body });
        return (StatusCode::BAD_REQUEST, Json(refusal)).into_response();
    }
    let mut results = Vec::new();
    for entry in request["Entries"].as_array().unwrap() {
        let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        let event_id = detail["eventId"].as_str().unwrap().to_owned();
        if let Some(code) = state.refused.get(&event_id) {
            results.push(json!({ "ErrorCode": code, "ErrorMessage": body }));
        } else {
            results.push(json!({ "EventId": format!("id of {event_id}") }));
            state.accepted.push(event_id);
        }
    }
    let failed = results.iter().filter(|result| result.get("ErrorCode").is_some()).count();
    Json(json!({ "FailedEntryCount": failed, "Entries": results })).into_response()
}
