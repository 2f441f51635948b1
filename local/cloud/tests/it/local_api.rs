//! `/_local` and DynamoDB answer people on this machine, and no page of another site.

use std::path::{Path, PathBuf};

use reqwest::{Method, StatusCode};
use serde_json::json;
use storefront_cloud::{LocalCloud, Options};

use crate::client::{Client, in_memory, template};

/// Writes a template with a schedule on `availability`, which takes what it gets for a batch.
fn with_schedule(folder: &Path) -> PathBuf {
    let path = folder.join("template.yaml");
    let text = std::fs::read_to_string(template()).unwrap();
    let events = r#"Events:
        Nightly:
          Type: ScheduleV2
          Properties: { ScheduleExpression: cron(0 3 * * ? *), Input: '{"Records": []}' }
        StockChanges:"#;
    let with_schedule = text.replace("Events:\n        StockChanges:", events);
    assert_ne!(with_schedule, text);
    std::fs::write(&path, with_schedule).unwrap();
    path
}

#[tokio::test]
async fn a_schedule_runs_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { template: with_schedule(folder.path()), seed: false, ..in_memory() };
    let cloud = LocalCloud::start(options).await.unwrap();
    let anyone = Client::anonymous(cloud.api_url());
    let answer = anyone.post("/_local/schedules/availability/run", json!({})).await;
    assert_eq!(answer.expect(StatusCode::OK).body, json!({ "batchItemFailures": [] }));
    let answer = anyone.post("/_local/schedules/orders/run", json!({})).await;
    assert_eq!(
        answer.expect(StatusCode::NOT_FOUND).body["message"],
        "orders has no schedule; these functions have: availability, order-expiry"
    );
    cloud.shutdown().await;
}

#[tokio::test]
async fn pages_of_other_sites_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { template: with_schedule(folder.path()), seed: false, ..in_memory() };
    let cloud = LocalCloud::start(options).await.unwrap();
    let own = cloud.api_url();
    let host = own.strip_prefix("http://").unwrap();
    let port = host.split(':').next_back().unwrap();
    let routes = [
        (Method::POST, "/_local/schedules/availability/run"),
        (Method::POST, "/_local/eventbridge"),
        (Method::OPTIONS, "/_local/eventbridge"),
        (Method::PUT, "/_local/s3/storefront/a.json"),
        (Method::GET, "/_local/events"),
        (Method::GET, "/_local/mail"),
        (Method::POST, "/_local/ses/v2/email/outbound-emails"),
        (Method::GET, "/_local/schedules"),
        (Method::POST, "/_local/anything"),
    ];
    let http = reqwest::Client::new();
    for (method, path) in routes {
        let status = async |host: &str, origin: Option<&str>| {
            let request = http.request(method.clone(), format!("{own}{path}")).header("host", host);
            let request = match origin {
                Some(origin) => request.header("origin", origin),
                None => request,
            };
            request.send().await.unwrap().status()
        };
        let name = format!("localhost:{port}");
        // Who may call gets whatever the route answers.
        for (host, origin) in [
            (host, None),
            (host, Some(own)),
            (&name, None),
            (&name, Some(&*format!("http://{name}"))),
        ] {
            let status = status(host, origin).await;
            assert_ne!(status, StatusCode::FORBIDDEN, "{method} {path} {host} {origin:?}");
        }
        for (host, origin) in [
            ("shop.example", None),
            (&*format!("shop.example:{port}"), None),
            (host, Some("https://shop.example")),
            (host, Some("http://localhost:8080")),
            (host, Some("null")),
            ("shop.example", Some("http://shop.example")),
        ] {
            let status = status(host, origin).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} {host} {origin:?}");
        }
    }
    // The shop itself answers them.
    let page = http.get(format!("{own}/products?category=coffee")).header("host", "shop.example");
    assert_eq!(page.send().await.unwrap().status(), StatusCode::OK);
    cloud.shutdown().await;
}

/// A request as the AWS CLI sends it, or as a page would, with its `Host` and `Origin`.
async fn list_tables(url: &str, host: &str, origin: Option<&str>) -> reqwest::Response {
    let credentials = "AWS4-HMAC-SHA256 Credential=a/20261130/eu-central-1/dynamodb/aws4_request, \
                       SignedHeaders=host, Signature=b";
    let mut request = reqwest::Client::new()
        .post(url)
        .header("host", host)
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-target", "DynamoDB_20120810.ListTables")
        .header("x-amz-date", "20261130T000000Z")
        .header("authorization", credentials)
        .body("{}");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    request.send().await.unwrap()
}

#[tokio::test]
async fn dynamodb_answers_tools_on_this_machine_and_no_pages_of_other_sites() {
    let cloud = LocalCloud::start(Options { seed: false, ..in_memory() }).await.unwrap();
    let url = cloud.dynamodb_url();
    let host = url.strip_prefix("http://").unwrap();
    let port = host.split(':').next_back().unwrap();
    let name = format!("localhost:{port}");
    for (host, origin) in [(host, None), (&name, None), (host, Some(url))] {
        let answer = list_tables(url, host, origin).await;
        assert_eq!(answer.status(), StatusCode::OK, "{host} {origin:?}");
        assert!(answer.headers().contains_key("x-amz-crc32"), "as DynamoDB sends it");
        let body: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(body, json!({ "TableNames": ["storefront"] }));
    }
    for (host, origin, why) in [
        ("shop.example", None, "answers only to localhost"),
        (&*format!("shop.example:{port}"), None, "answers only to localhost"),
        ("shop.example", Some("http://shop.example"), "answers only to localhost"),
        (host, Some("https://shop.example"), "does not answer pages of other sites"),
        (host, Some("http://localhost:5173"), "does not answer pages of other sites"),
        (host, Some("null"), "does not answer pages of other sites"),
    ] {
        let answer = list_tables(url, host, origin).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{host} {origin:?}");
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "{host} {origin:?}");
        let said = answer.text().await.unwrap();
        assert!(said.contains(&format!("DynamoDB's port {why}")), "{said}");
    }
    let preflight = reqwest::Client::new()
        .request(Method::OPTIONS, url)
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-amz-target")
        .send()
        .await
        .unwrap();
    assert_eq!(preflight.status(), StatusCode::FORBIDDEN);
    let headers = preflight.headers();
    assert!(
        !headers.keys().any(|name| name.as_str().starts_with("access-control-")),
        "{headers:?}"
    );
    cloud.shutdown().await;
}
