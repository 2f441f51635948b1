//! Stand-ins of the services that a function asks besides DynamoDB.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use storefront_local::TOKEN_SECRET;
use tokio::net::TcpListener;

/// Secrets Manager with one secret, and an event bus that takes everything.
pub(super) async fn serve() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let app = Router::new().fallback(answer);
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok(address)
}

/// The SDK's content types are none that axum takes for JSON.
async fn answer(headers: HeaderMap, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).unwrap_or_default();
    match headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
        Some("secretsmanager.GetSecretValue") => {
            // Put long ago, so that nobody asks for the version before it.
            Json(json!({ "SecretString": TOKEN_SECRET, "CreatedDate": 1_767_225_600.0 }))
                .into_response()
        }
        Some("AWSEvents.PutEvents") => {
            let entries = request["Entries"].as_array().map_or(0, Vec::len);
            let id = json!({ "EventId": "17793124-05d4-b198-2fde-7ededc63b103" });
            Json(json!({ "FailedEntryCount": 0, "Entries": vec![id; entries] })).into_response()
        }
        _ => {
            let error = json!({ "__type": "UnknownOperationException" });
            (StatusCode::BAD_REQUEST, Json(error)).into_response()
        }
    }
}
