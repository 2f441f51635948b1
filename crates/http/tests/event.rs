//! Events that a gateway could send, and that `lambda_http` would panic on.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use axum::Router;
use axum::extract::OriginalUri;
use axum::routing::any;
use serde_json::{Value, json};
use storefront_http::service;
use storefront_testing::{Answer, Api, CapturedLog};

const REQUEST_ID: &str = "JKJaXmPLvHcESHA=";

/// Answers every request with a 200 and its path and query.
fn api() -> Api {
    let echo = async |OriginalUri(uri): OriginalUri| uri.to_string();
    Api::made_up(service("echo", Router::new().route("/{*path}", any(echo))))
}

fn event(changes: &Value) -> Value {
    let mut event = json!({
        "version": "2.0",
        "rawPath": "/things",
        "rawQueryString": "",
        "headers": { "host": "api.example.com" },
        "requestContext": {
            "domainName": "api.example.com",
            "http": { "method": "GET", "path": "/things" },
            "requestId": REQUEST_ID,
            "stage": "$default",
        },
        "isBase64Encoded": false,
    });
    for (pointer, value) in changes.as_object().unwrap() {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).unwrap()[member] = value.clone();
    }
    event
}

/// Sends the event, and checks what every response has.
async fn send(changes: &Value) -> Answer {
    let log = CapturedLog::start();
    let answer = api().send_event(&event(changes)).await;
    assert_eq!(answer.header("x-request-id"), Some(REQUEST_ID), "{changes}");
    let lines = log.lines("request served");
    assert_eq!(lines.len(), 1, "{changes}");
    assert_eq!(lines[0]["status"], answer.status, "{changes}");
    assert_eq!(lines[0]["span"]["request_id"], REQUEST_ID, "{changes}");
    answer
}

#[tokio::test]
async fn an_invalid_http_request_is_400_and_logged_like_any_other() {
    for changes in [
        json!({ "/rawPath": "things" }),
        json!({ "/rawPath": ":99999" }),
        json!({ "/rawPath": "@[" }),
        json!({ "/rawPath": format!("/{}", "x".repeat(70_000)) }),
        json!({ "/rawPath": format!("/{}", "^".repeat(30_000)) }),
        json!({ "/rawQueryString": "a b" }),
        json!({ "/rawQueryString": "limit=<1>" }),
        json!({ "/rawQueryString": "\u{1}" }),
        json!({ "/rawQueryString": "\u{0}" }),
        json!({ "/rawQueryString": "x".repeat(70_000) }),
        json!({ "/headers/x-note": "a\u{1}b" }),
        json!({ "/headers/x-note": "a\r\nset-cookie: b" }),
        json!({ "/headers/two words": "x" }),
        json!({ "/headers/": "x" }),
        json!({ "/headers/ä": "x" }),
        json!({ "/requestContext/http/method": "G E T" }),
        json!({ "/requestContext/http/method": "GET\n" }),
    ] {
        let _ = send(&changes).await.problem(400, "malformed_request");
    }
    let not_encoded = json!({ "/isBase64Encoded": true, "/body": "not Base64!" });
    let _ = send(&not_encoded).await.problem(400, "malformed_body");
}

#[tokio::test]
async fn the_host_is_ignored() {
    for host in
        ["", " ", "a b", "[", "a:99999", "x/y", "x?y", "x#y", "user:pass@x", "1.2.3.999", "é"]
    {
        for changes in [
            json!({ "/headers/host": host }),
            json!({ "/headers/host": host, "/headers/x-forwarded-proto": host }),
            json!({ "/headers": {}, "/requestContext/domainName": host }),
        ] {
            let answer = send(&changes).await.expect(200);
            assert_eq!(answer.body, "/things", "{changes}");
        }
    }
}

#[tokio::test]
async fn the_path_is_the_one_that_the_gateway_matched() {
    for (path, seen) in [
        ("/things/a b", "/things/a%20b"),
        ("/things/a?b", "/things/a%3Fb"),
        ("/things/a#b", "/things/a%23b"),
        ("/things/%2e%2e/x", "/things/%252e%252e/x"),
        ("/things\\x", "/things%5Cx"),
        ("/th\tin\ngs", "/th%09in%0Ags"),
        ("/things/x ", "/things/x%20"),
        ("/ä\u{0}", "/%C3%A4%00"),
        ("//things", "//things"),
        ("/things:80@x", "/things%3A80%40x"),
    ] {
        let answer = send(&json!({ "/rawPath": path, "/rawQueryString": "q=1" })).await.expect(200);
        assert_eq!(answer.body, format!("{seen}?q=1"), "{path:?}");
    }
}

#[tokio::test]
async fn a_request_id_that_is_no_header_value_is_replaced_with_lambdas() {
    for id in ["a\u{1}b", "a\nb", "\u{7f}"] {
        let answer = api().send_event(&event(&json!({ "/requestContext/requestId": id }))).await;
        // The test's own invocation has an empty id.
        assert_eq!(answer.expect(200).header("x-request-id"), Some(""), "{id:?}");
    }
}

#[tokio::test]
async fn no_value_of_a_malformed_request_is_logged() {
    let log = CapturedLog::start();
    let changes = json!({ "/headers/authorization": "Bearer CONFIDENTIAL\u{1}" });
    let _ = api().send_event(&event(&changes)).await.problem(400, "malformed_request");
    assert!(!log.text().contains("CONFIDENTIAL"));
}

#[tokio::test]
async fn an_event_of_another_service_fails_the_function() {
    for other in [
        json!({}),
        json!([]),
        json!({ "Records": [] }),
        // Payload 1.0: the integration is not configured as in the template.
        json!({ "resource": "/things", "httpMethod": "GET", "requestContext": { "stage": "x" } }),
    ] {
        assert!(api().send_text(other.to_string()).await.is_err(), "{other}");
    }
}
