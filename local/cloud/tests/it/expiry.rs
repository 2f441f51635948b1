//! Expired items are removed according to the table's TTL setting.

use std::time::Duration;

use serde_json::{Value, json};
use storefront_cloud::{LocalCloud, Options, TABLE_NAME};

use crate::client::in_memory;

/// Calls DynamoDB's API as any tool would.
pub(crate) async fn dynamodb(cloud: &LocalCloud, operation: &str, request: Value) -> Value {
    let response = reqwest::Client::new()
        .post(cloud.dynamodb_url())
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("x-amz-date", "20260101T000000Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=none",
        )
        .header("content-type", "application/x-amz-json-1.0")
        .body(request.to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

#[tokio::test]
async fn only_expired_items_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = Some(folder.path().to_owned());
    let options = Options { data_dir, seed: false, ..in_memory() };
    let key = |name: &str| json!({ "PK": { "S": name }, "SK": { "S": "IDEMPOTENCY#1" } });
    let cloud = LocalCloud::start(options.clone()).await.unwrap();
    for (name, expires_at) in [("expired", "1767225600"), ("valid", "4102444800")] {
        let mut item = key(name);
        item["expiresAt"] = json!({ "N": expires_at });
        dynamodb(&cloud, "PutItem", json!({ "TableName": TABLE_NAME, "Item": item })).await;
    }
    cloud.shutdown().await;

    // Expired items are removed at the start and every minute.
    let cloud = LocalCloud::start(options).await.unwrap();
    let get = async |name: &str| {
        let request = json!({ "TableName": TABLE_NAME, "Key": key(name) });
        dynamodb(&cloud, "GetItem", request).await.get("Item").cloned()
    };
    let gone = async {
        while get("expired").await.is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("it is removed");
    assert!(get("valid").await.is_some());
    cloud.shutdown().await;
}
