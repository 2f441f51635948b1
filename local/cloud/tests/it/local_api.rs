//! `/_local` answers people on this machine, and no page of another site.

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
        (Method::GET, "/_local/events"),
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
