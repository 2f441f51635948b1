//! Fakes of the services that a function calls besides DynamoDB.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use axum::{Json, Router};
use serde_json::{Value, json};
use storefront_cloud::TOKEN_SECRET;
use tokio::net::TcpListener;

use super::event_bus::EventBus;

/// Serves a Secrets Manager with one secret, this event bus, a queue that keeps nothing, and an SES that sends
/// nothing.
pub(super) async fn serve(bus: EventBus) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let app = Router::new().fallback(answer).with_state(bus);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(address)
}

/// Parses the body itself, because axum does not recognise the SDK's content types as JSON.
async fn answer(State(bus): State<EventBus>, headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    match headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some("secretsmanager.GetSecretValue") => {
            // Created long ago, so that no function requests the previous version.
            Json(json!({ "SecretString": TOKEN_SECRET, "CreatedDate": 1_767_225_600.0 }))
                .into_response()
        }
        Some("AWSEvents.PutEvents") => Json(bus.put(&request).await).into_response(),
        Some("AmazonSQS.SendMessage") => Json(json!({ "MessageId": "1" })).into_response(),
        None if request["Content"]["Raw"].is_object() => {
            Json(json!({ "MessageId": "0102018c" })).into_response()
        }
        _ => {
            let error = json!({ "__type": "UnknownOperationException" });
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
    }
}
