//! The binary, started as Lambda starts it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod concurrency;
mod credentials;
mod dynamodb;
mod tls;

use serde_json::{Value, json};
use storefront_core::UserId;
use storefront_testing::ExecutionEnvironment;

const BINARY: &str = env!("CARGO_BIN_EXE_users");

/// Starts the function with these variables and the table's name.
async fn start(variables: &[(&str, &str)]) -> ExecutionEnvironment {
    let variables = [&[("TABLE_NAME", "storefront")], variables].concat();
    ExecutionEnvironment::start(BINARY, &variables).await
}

/// The event of a user who reads their own data.
fn show_me(user_id: UserId, gateway_id: &str) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "GET /users/{userId}",
        "rawPath": "/users/me",
        "rawQueryString": "",
        "headers": {},
        "requestContext": {
            "authorizer": { "lambda": { "userId": user_id, "role": "user" } },
            "http": { "method": "GET", "path": "/users/me" },
            "requestId": gateway_id,
            "routeKey": "GET /users/{userId}",
            "stage": "$default",
        },
        "isBase64Encoded": false,
    })
}

fn body(answer: &Value) -> Value {
    serde_json::from_str(answer["body"].as_str().unwrap()).unwrap()
}

fn lines<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}
