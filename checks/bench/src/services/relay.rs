//! Stands between a function and DynamoDB: counts what the function sends and what DynamoDB says that
//! it took, and answers no sooner than the real one would.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use reqwest::Client;
use serde_json::Value;
use storefront_core::capacity::Consumed;
use tokio::net::TcpListener;
use tokio::time::sleep;

type Shared<T> = Arc<Mutex<T>>;

/// A way to DynamoDB that is watched.
pub(crate) struct Relay {
    /// The value of `AWS_ENDPOINT_URL_DYNAMODB` for those who shall take it.
    pub(crate) endpoint_url: String,
    pub(super) consumed: Shared<Consumed>,
}

impl Relay {
    /// What went through since this was last asked.
    pub(crate) fn take(&self) -> Consumed {
        std::mem::take(&mut self.consumed.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Adds a request with this answer.
fn add(total: &mut Consumed, operation: &str, answer: &[u8]) {
    total.requests += 1;
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    // An object, or for operations on several tables a list.
    let capacity = &answer["ConsumedCapacity"];
    let tables = capacity.as_array().map_or(std::slice::from_ref(capacity), Vec::as_slice);
    let units: f64 = tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum();
    match operation {
        "GetItem" | "Query" | "BatchGetItem" => total.read_units += units,
        _ => total.write_units += units,
    }
}

#[derive(Clone)]
struct Behind {
    client: Client,
    url: String,
    latency: Duration,
    consumed: Shared<Consumed>,
}

/// Serves what is behind this URL on a port that was free.
pub(super) async fn serve(
    url: &str,
    latency: Duration,
) -> Result<(SocketAddr, Shared<Consumed>), Box<dyn std::error::Error + Send + Sync>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let consumed = Shared::<Consumed>::default();
    let client = Client::builder().no_proxy().build()?;
    let behind = Behind { client, url: url.to_owned(), latency, consumed: Arc::clone(&consumed) };
    let app = Router::new().fallback(hand_on).with_state(behind);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    tokio::spawn(async { axum::serve(listener, app).await });
    Ok((address, consumed))
}

async fn hand_on(State(behind): State<Behind>, headers: HeaderMap, body: Bytes) -> Response {
    let operation = operation(&headers).to_owned();
    let (answer, ()) = tokio::join!(ask(&behind, headers, body), sleep(behind.latency));
    let Ok((status, headers, body)) = answer else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let mut total = behind.consumed.lock().unwrap_or_else(PoisonError::into_inner);
    add(&mut total, &operation, &body);
    drop(total);
    (status, headers, body).into_response()
}

async fn ask(
    behind: &Behind,
    mut headers: HeaderMap,
    body: Bytes,
) -> reqwest::Result<(StatusCode, HeaderMap, Bytes)> {
    // These are of a connection, not of what is said on it.
    for header in [HOST, CONTENT_LENGTH, CONNECTION] {
        headers.remove(header);
    }
    let answer = behind.client.post(&behind.url).headers(headers).body(body).send().await?;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    for header in [TRANSFER_ENCODING, CONTENT_LENGTH, CONNECTION] {
        headers.remove(header);
    }
    Ok((status, headers, answer.bytes().await?))
}

/// `DynamoDB_20120810.GetItem`, without what comes before the dot.
fn operation(headers: &HeaderMap) -> &str {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    target.and_then(|target| target.rsplit('.').next()).unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_added_up_over_tables_and_by_what_was_done() {
        let mut total = Consumed::default();
        for (operation, answer) in [
            ("BatchGetItem", r#"{"ConsumedCapacity":[{"CapacityUnits":1.5}]}"#),
            ("GetItem", r#"{"ConsumedCapacity":{"CapacityUnits":0.5}}"#),
            ("TransactWriteItems", r#"{"ConsumedCapacity":[{"CapacityUnits":8.0}]}"#),
            ("TransactWriteItems", "not even JSON"),
        ] {
            add(&mut total, operation, answer.as_bytes());
        }
        assert_eq!(total, Consumed { requests: 4, read_units: 2.0, write_units: 8.0 });
    }
}
