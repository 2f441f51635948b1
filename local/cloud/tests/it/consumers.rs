//! Several functions read the stream of the table.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use reqwest::StatusCode;
use serde_json::{Value, json};
use storefront_cloud::{LocalCloud, Options};

use crate::client::{Client, in_memory, template};

const PRODUCT: &str = "01930000-0000-7000-8000-000000000101";

/// Returns a function of this repository's template, as it is written there.
fn function(text: &str, name: &str) -> Range<usize> {
    let start = text.find(&format!("  {name}Function:\n")).unwrap();
    start..text.find(&format!("  {name}LogGroup:\n")).unwrap()
}

/// Returns a copy of order-events with this name.
fn copy(text: &str, name: &str) -> String {
    text[function(text, "OrderStatusStream")].replacen("OrderStatusStream", name, 1)
}

/// Writes a template whose stream's second consumer is a copy of the first, which is built from
/// this binary and never gives up.
fn with_another_second_consumer(folder: &Path, binary: &str) -> PathBuf {
    let mut text = fs::read_to_string(template()).unwrap();
    let second = copy(&text, "AuditStream")
        .replace("Binary: order-events", &format!("Binary: {binary}"))
        .replace("MaximumRetryAttempts: 10", "MaximumRetryAttempts: -1");
    text.replace_range(function(&text, "Availability"), &second);
    let path = folder.join("template.yaml");
    fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn a_failing_consumer_does_not_hold_up_another_and_continues_where_it_was_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = Some(folder.path().join("data"));
    // The suite has no such function, so each invocation fails.
    let template = with_another_second_consumer(folder.path(), "invoices");
    let options = Options { template, data_dir, ..in_memory() };
    let cloud = LocalCloud::start(options.clone()).await.unwrap();
    let ada = Client::logged_in(cloud.api_url(), "ada@example.com").await;
    let admin = Client::logged_in(cloud.api_url(), "admin@example.com").await;
    let items = json!({ "items": [{ "productId": PRODUCT, "quantity": 1 }] });
    let order = ada.post("/orders", items).await.expect(StatusCode::CREATED).body;
    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    let is_of_order = |event: &Value| {
        let is_change = event["detail-type"] == "OrderStatusChanged";
        is_change && event["detail"]["orderId"] == order["id"]
    };
    admin.patch(&path, json!({ "status": "paid" })).await.expect(StatusCode::OK);
    assert_eq!(statuses(&admin.events(1, is_of_order).await), ["paid"]);
    cloud.shutdown().await;

    with_another_second_consumer(folder.path(), "order-events");
    let cloud = LocalCloud::start(options).await.unwrap();
    let admin = admin.at(cloud.api_url());
    assert_eq!(statuses(&admin.events(1, is_of_order).await), ["paid"], "from the second");
    admin.patch(&path, json!({ "status": "shipped" })).await.expect(StatusCode::OK);
    let events = admin.events(3, is_of_order).await;
    assert_eq!(statuses(&events), ["paid", "shipped", "shipped"]);
    cloud.shutdown().await;
}

fn statuses(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["detail"]["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_third_consumer_is_refused_at_start_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yaml");
    let mut text = fs::read_to_string(template()).unwrap();
    let third = copy(&text, "ThirdStream");
    text.insert_str(function(&text, "OrderStatusStream").end, &third);
    fs::write(&path, text).unwrap();
    let options = Options { template: path, seed: false, ..in_memory() };
    let error = LocalCloud::start(options).await.err().unwrap().to_string();
    assert!(error.contains("no more than two consumers per shard"), "{error}");
}
