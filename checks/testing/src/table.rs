//! The table of a test: embedded, or on another implementation of DynamoDB.

use std::env;

use serde_json::Value;
use storefront_core::UserId;
use storefront_embedded::EmbeddedDynamoDb;

use crate::evidence;

/// The URL of a DynamoDB that tests use instead of the embedded one: for a second opinion, on AWS's
/// DynamoDB Local.
const OTHER_DYNAMODB: &str = "STOREFRONT_TEST_DYNAMODB";

const SIGNATURE: &str = "AWS4-HMAC-SHA256 \
    Credential=test/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=none";

/// A table with nothing in it. The embedded one stops when dropped.
pub struct TestTable {
    endpoint_url: String,
    table_name: String,
    _embedded: Option<EmbeddedDynamoDb>,
}

/// Starts an embedded `DynamoDB` with an empty table, without a client. If `STOREFRONT_TEST_DYNAMODB` names
/// another one, creates a table there.
pub async fn test_table() -> TestTable {
    evidence::start();
    if let Ok(endpoint_url) = env::var(OTHER_DYNAMODB) {
        let table_name = format!("storefront-{}", UserId::new());
        create(&endpoint_url, &table_name).await;
        return TestTable { endpoint_url, table_name, _embedded: None };
    }
    let embedded = storefront_embedded::test_table().await;
    TestTable {
        endpoint_url: embedded.endpoint_url().to_owned(),
        table_name: embedded.table_name().to_owned(),
        _embedded: Some(embedded),
    }
}

impl TestTable {
    /// The URL of the `DynamoDB`, for the SDK.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// The name of the table.
    #[must_use]
    pub fn table_name(&self) -> &str {
        &self.table_name
    }
}

async fn create(endpoint_url: &str, table_name: &str) {
    let mut request = storefront_embedded::test_definition().create_table(table_name);
    // Whoever runs that DynamoDB may delete it.
    request["DeletionProtectionEnabled"] = Value::Bool(false);
    let answer = reqwest::Client::new()
        .post(endpoint_url)
        .header("x-amz-target", "DynamoDB_20120810.CreateTable")
        .header("content-type", "application/x-amz-json-1.0")
        // Emulators want a signature, and do not check it.
        .header("authorization", SIGNATURE)
        .body(request.to_string())
        .send()
        .await
        .unwrap_or_else(|error| panic!("{OTHER_DYNAMODB}: {error}"));
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    assert!(status.is_success(), "{OTHER_DYNAMODB}: {status} {body}");
}
