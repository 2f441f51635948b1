//! `/_local/queues`: shows the queues and their messages.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::store::{Counts, Message};
use super::{Inbox, Queues};
use crate::Error;
use crate::local_api::refusal;

/// The number of messages that are shown.
const SHOWN: u32 = 100;

pub(crate) fn routes(queues: Queues) -> Router {
    Router::new()
        .route("/_local/queues", get(list))
        .route("/_local/queues/{queue}", get(show))
        .with_state(queues)
}

async fn list(State(queues): State<Queues>) -> Response {
    let mut found = Vec::new();
    for queue in queues.names() {
        match summary(&queues, queue).await {
            Ok(queue) => found.push(queue),
            Err(error) => return failed(&error),
        }
    }
    Json(json!({ "queues": found })).into_response()
}

async fn show(State(queues): State<Queues>, Path(queue): Path<String>) -> Response {
    let Some(inbox) = queues.inbox(&queue) else {
        let names = queues.names().join(", ");
        let message = if names.is_empty() {
            "the template has no queues that run here".to_owned()
        } else {
            format!("there is no queue {queue}; the queues are: {names}")
        };
        return refusal(StatusCode::NOT_FOUND, &message);
    };
    match messages(&queues, &inbox).await {
        Ok(messages) => Json(json!({ "queue": queue, "messages": messages })).into_response(),
        Err(error) => failed(&error),
    }
}

async fn summary(queues: &Queues, queue: &str) -> Result<Value, Error> {
    let Some(inbox) = queues.inbox(queue) else { return Ok(Value::Null) };
    let Counts { waiting, in_flight, delayed } = queues.store.counts(&inbox).await?;
    Ok(json!({ "queue": queue, "waiting": waiting, "inFlight": in_flight, "delayed": delayed }))
}

async fn messages(queues: &Queues, inbox: &Inbox) -> Result<Vec<Value>, Error> {
    let now = queues.store.clock().now();
    let messages = queues.store.newest(inbox, SHOWN).await?;
    Ok(messages.iter().map(|message| shown(message, now)).collect())
}

fn shown(message: &Message, now: Timestamp) -> Value {
    let state = match &message.receipt {
        _ if message.visible_at <= now => "waiting",
        Some(_) => "in flight",
        None => "delayed",
    };
    json!({
        "messageId": message.id,
        "body": message.body,
        "state": state,
        "sentAt": message.sent_at.to_string(),
        "receiveCount": message.receives,
        "deadLetterOf": message.source,
        "attributes": message.attributes,
    })
}

fn failed(error: &Error) -> Response {
    tracing::error!("{error}");
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}
