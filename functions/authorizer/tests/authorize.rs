//! What the gateway is told about requests.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use serde_json::{Value, json};
use storefront_authorizer::authorize;
use storefront_core::{Role, UserId, aws};
use storefront_credentials::access_token::{self, Bearer};
use storefront_credentials::{SigningKey, SigningKeys};
use storefront_testing::{CapturedLog, SecretsManager};

const SECRET: &str = "a secret of the tests, 32 bytes or more";

fn token(secret: &str, bearer: Bearer) -> String {
    access_token::issue(&SigningKey::new(secret).unwrap(), bearer).unwrap()
}

fn admin() -> Bearer {
    Bearer { user_id: UserId::new(), role: Role::Admin }
}

fn event(authorization: &str) -> Value {
    json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-central-1:123456789012:api-id/$default/GET/users/me",
        "identitySource": [authorization],
        "routeKey": "GET /users/{userId}",
        "rawPath": "/users/me",
        "rawQueryString": "",
        "headers": { "authorization": authorization },
        "requestContext": { "requestId": "JKJaXmPLvHcESHA=", "stage": "$default" },
    })
}

async fn decide(event: &Value) -> Value {
    let keys = SigningKeys::fixed(SECRET).unwrap();
    serde_json::to_value(authorize(&keys, event).await).unwrap()
}

fn refused() -> Value {
    json!({ "isAuthorized": false })
}

#[tokio::test]
async fn a_good_token_tells_the_function_who_calls() {
    let admin = admin();
    assert_eq!(
        decide(&event(&format!("Bearer {}", token(SECRET, admin)))).await,
        json!({
            "isAuthorized": true,
            "context": { "userId": admin.user_id.to_string(), "role": "admin" },
        })
    );
}

#[tokio::test]
async fn the_case_of_the_scheme_does_not_count() {
    for scheme in ["bearer", "BEARER", "Bearer "] {
        let decision = decide(&event(&format!("{scheme} {}", token(SECRET, admin())))).await;
        assert_eq!(decision["isAuthorized"], true, "{scheme}");
    }
}

#[tokio::test]
async fn the_header_is_looked_at_where_there_is_no_identity_source() {
    let mut event = event("");
    event.as_object_mut().unwrap().remove("identitySource");
    event["headers"] = json!({ "Authorization": format!("Bearer {}", token(SECRET, admin())) });
    assert_eq!(decide(&event).await["isAuthorized"], true);
}

#[tokio::test]
async fn the_identity_source_counts_and_not_the_header() {
    let mut event = event("Bearer nonsense");
    event["headers"]["authorization"] = format!("Bearer {}", token(SECRET, admin())).into();
    assert_eq!(decide(&event).await, refused());
}

#[tokio::test]
async fn whatever_is_wrong_is_a_no_and_never_an_error() {
    let good = token(SECRET, admin());
    let forged = token("another secret, which is not the suite's", admin());
    for authorization in [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer a.b.c",
        &good,
        &format!("Basic {good}"),
        &format!("Bearer{good}"),
        &format!("Bearer {good} {good}"),
        &format!("Bearer {good}, Bearer {good}"),
        &format!("Bearer {forged}"),
        "Bearer \0",
        "Bearer äöü.äöü.äöü",
    ] {
        assert_eq!(decide(&event(authorization)).await, refused(), "{authorization:?}");
    }
    for event in [
        json!(null),
        json!([]),
        json!("text"),
        json!({}),
        json!({ "identitySource": [] }),
        json!({ "identitySource": [null] }),
        json!({ "identitySource": [{}] }),
        json!({ "headers": { "authorization": 7 } }),
    ] {
        assert_eq!(decide(&event).await, refused(), "{event}");
    }
}

#[tokio::test]
async fn a_rotation_of_the_secret_logs_nobody_out() {
    let secrets = SecretsManager::start().await;
    let minutes_ago = |minutes| SystemTime::now() - Duration::from_mins(minutes);
    secrets.put(SECRET, minutes_ago(90));
    let mut config = Builder::from(&aws::emulator_config());
    config.set_endpoint_url(Some(secrets.url().to_owned()));
    let client = Client::from_conf(config.build());
    let environment = || SigningKeys::secrets_manager(client.clone(), "token-secret");
    let is_let_through = async |keys: &SigningKeys, secret: &str| {
        let event = event(&format!("Bearer {}", token(secret, admin())));
        serde_json::to_value(authorize(keys, &event).await).unwrap()["isAuthorized"] == true
    };

    let before = environment();
    assert!(is_let_through(&before, SECRET).await);
    let rotated = "the secret after the rotation, 32 bytes";
    secrets.put(rotated, minutes_ago(60));
    for keys in [before, environment()] {
        assert!(is_let_through(&keys, rotated).await);
        assert!(is_let_through(&keys, SECRET).await);
        assert!(!is_let_through(&keys, "another secret, which is not the suite's").await);
    }

    secrets.put("the secret after the second rotation", minutes_ago(70));
    assert!(!is_let_through(&environment(), rotated).await, "more than an hour ago");
}

#[tokio::test]
async fn the_log_says_why_a_request_was_refused_without_its_token() {
    let log = CapturedLog::start();
    let forged = token("another secret, which is not the suite's", admin());
    decide(&event(&format!("Bearer {forged}"))).await;
    decide(&event(&format!("Bearer {}", token(SECRET, admin())))).await;

    let refusals = log.lines("request refused");
    assert_eq!(refusals.len(), 1);
    assert_eq!(refusals[0]["reason"], "wrong signature");
    assert_eq!(refusals[0]["span"]["request_id"], "JKJaXmPLvHcESHA=");
    assert!(!log.text().contains("eyJ"), "{}", log.text());
}
