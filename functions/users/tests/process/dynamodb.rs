//! A `DynamoDB` with the users of a test. It supports `GetItem` only, and can make its callers wait
//! for each other.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Json, Router};
use http::HeaderMap;
use serde_json::{Value, json};
use storefront_core::UserId;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

#[derive(Clone)]
pub(crate) struct DynamoDb {
    users: Arc<Vec<UserId>>,
    together: Arc<Barrier>,
    access_keys: Arc<Mutex<Vec<String>>>,
}

impl DynamoDb {
    /// Holds these users. It answers only when `together` of them are requested concurrently.
    pub(crate) fn new(users: &[UserId], together: usize) -> Self {
        Self {
            users: Arc::new(users.to_vec()),
            together: Arc::new(Barrier::new(together)),
            access_keys: Arc::default(),
        }
    }

    /// Serves without TLS, and returns the URL.
    pub(crate) async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = self.routes();
        tokio::spawn(async { axum::serve(listener, routes).await });
        url
    }

    pub(crate) fn routes(&self) -> Router {
        Router::new().fallback(get_item).with_state(self.clone())
    }

    /// The access keys that signed the requests.
    pub(crate) fn access_keys(&self) -> Vec<String> {
        self.access_keys.lock().unwrap().clone()
    }
}

/// What reading this user consumes: a different amount for each.
pub(crate) fn read_units(place: usize) -> f64 {
    f64::from(u32::try_from(place + 1).unwrap()) / 2.0
}

async fn get_item(
    State(dynamodb): State<DynamoDb>,
    headers: HeaderMap,
    request: String,
) -> impl IntoResponse {
    let request: Value = serde_json::from_str(&request).unwrap();
    let signed = headers["authorization"].to_str().unwrap();
    let access_key = signed.split_once("Credential=").unwrap().1.split('/').next().unwrap();
    dynamodb.access_keys.lock().unwrap().push(access_key.to_owned());

    let partition = request["Key"]["PK"]["S"].as_str().unwrap();
    let user = dynamodb.users.iter().position(|id| partition == format!("USER#{id}"));
    let Some(place) = user else {
        return ([("content-type", "application/x-amz-json-1.0")], Json(json!({})));
    };
    dynamodb.together.wait().await;
    let id = dynamodb.users[place];
    let answer = json!({
        "Item": {
            "PK": { "S": partition }, "SK": { "S": "METADATA" }, "_type": { "S": "User" },
            "id": { "S": id }, "email": { "S": format!("{id}@example.com") },
            "name": { "S": format!("user {place}") }, "passwordHash": { "S": "$argon2id$nobody's" },
            "role": { "S": "user" }, "version": { "N": "1" },
            "createdAt": { "S": "2026-01-01T00:00:00.000Z" },
            "updatedAt": { "S": "2026-01-01T00:00:00.000Z" },
        },
        "ConsumedCapacity": { "TableName": "storefront", "CapacityUnits": read_units(place) },
    });
    ([("content-type", "application/x-amz-json-1.0")], Json(answer))
}
