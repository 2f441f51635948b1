//! The table of a test: embedded, or on another implementation of DynamoDB.

use std::env;

use serde_json::Value;
use storefront_core::{Timestamp, UserId};
use storefront_embedded::EmbeddedDynamoDb;

use crate::evidence;

/// The URL of a DynamoDB that tests use instead of the embedded one: for a second opinion, on AWS's
/// DynamoDB Local.
const OTHER_DYNAMODB: &str = "STOREFRONT_TEST_DYNAMODB";

/// A table with nothing in it. The embedded one stops when dropped.
pub struct TestTable(Place);

enum Place {
    Embedded(Box<EmbeddedDynamoDb>),
    Other { endpoint_url: String, table_name: String },
}

/// Starts an embedded `DynamoDB` with an empty table, without a client. If `STOREFRONT_TEST_DYNAMODB` names
/// another one, creates a table there.
pub async fn test_table() -> TestTable {
    evidence::start();
    TestTable(match env::var(OTHER_DYNAMODB) {
        Ok(endpoint_url) => {
            let table_name = format!("storefront-{}", UserId::new());
            create(&endpoint_url, &table_name).await;
            Place::Other { endpoint_url, table_name }
        }
        Err(_) => Place::Embedded(Box::new(storefront_embedded::test_table().await)),
    })
}

impl TestTable {
    /// The URL of the `DynamoDB`, for the SDK.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        match &self.0 {
            Place::Embedded(embedded) => embedded.endpoint_url(),
            Place::Other { endpoint_url, .. } => endpoint_url,
        }
    }

    /// The name of the table.
    #[must_use]
    pub fn table_name(&self) -> &str {
        match &self.0 {
            Place::Embedded(embedded) => embedded.table_name(),
            Place::Other { table_name, .. } => table_name,
        }
    }
}

async fn create(endpoint_url: &str, table_name: &str) {
    let mut request = storefront_embedded::test_definition().create_table(table_name);
    // It could not be deleted with its emulator's data.
    request["DeletionProtectionEnabled"] = Value::Bool(false);
    let today = &Timestamp::now().to_string()[..10].replace('-', "");
    let credential = format!("test/{today}/eu-central-1/dynamodb/aws4_request");
    let answer = reqwest::Client::new()
        .post(endpoint_url)
        .header("x-amz-target", "DynamoDB_20120810.CreateTable")
        .header("content-type", "application/x-amz-json-1.0")
        // Emulators want a signature, and do not check it.
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=none"),
        )
        .body(request.to_string())
        .send()
        .await
        .unwrap_or_else(|error| panic!("{OTHER_DYNAMODB}: {error}"));
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    assert!(status.is_success(), "{OTHER_DYNAMODB}: {status} {body}");
}
