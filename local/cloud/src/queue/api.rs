//! The local SQS: takes messages from functions, and shows the queues and their messages at
//! `/_local/queues`.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::event::md5_of;
use super::store::{Counts, Message};
use super::{Inbox, Queues};
use crate::Error;
use crate::local_api::refusal;

/// The number of messages that are shown.
const SHOWN: u32 = 100;

/// The service's path for functions, on the gateway's listener. A queue's URL is this path and the queue's
/// logical id.
pub(crate) const SQS_PATH: &str = "/_local/sqs";

pub(crate) fn routes(queues: Queues) -> Router {
    Router::new()
        .route("/_local/queues", get(list))
        .route("/_local/queues/{queue}", get(show))
        .route(&format!("{SQS_PATH}/"), post(send_message))
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

/// `SendMessage`, of a message without attributes.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
async fn send_message(State(queues): State<Queues>, headers: HeaderMap, body: String) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    if target != Some("AmazonSQS.SendMessage") {
        return refused("com.amazonaws.sqs#UnsupportedOperation", "only SendMessage is supported");
    }
    let request: Value = serde_json::from_str(&body).unwrap_or_default();
    let known = ["QueueUrl", "MessageBody"];
    let mut members = request.as_object().into_iter().flat_map(Map::keys);
    if let Some(member) = members.find(|member| !known.contains(&member.as_str())) {
        let message = format!("the local SQS does not support {member}");
        return refused("com.amazonaws.sqs#UnsupportedOperation", &message);
    }
    let Some(body) = request["MessageBody"].as_str().filter(|body| !body.is_empty()) else {
        return refused(
            "com.amazon.coral.service#InvalidParameterValueException",
            "no MessageBody",
        );
    };
    let url = request["QueueUrl"].as_str().unwrap_or_default();
    let queue = url.rsplit('/').next().unwrap_or_default();
    if queues.inbox(queue).is_none() {
        let message = "the template has no such queue";
        return refused("com.amazonaws.sqs#QueueDoesNotExist", message);
    }
    let message = queues.message(queue, body.to_owned(), Map::new());
    match queues.store.send(vec![message]).await {
        Ok(()) => {
            let md5 = md5_of(body);
            Json(json!({ "MessageId": Uuid::now_v7(), "MD5OfMessageBody": md5 })).into_response()
        }
        Err(error) => failed(&error),
    }
}

fn refused(code: &str, message: &str) -> Response {
    let answer = Json(json!({ "__type": code, "message": message }));
    (StatusCode::BAD_REQUEST, answer).into_response()
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
