use storefront_core::{Table, aws};
use storefront_embedded::EmbeddedDynamoDb;

use crate::evidence;

/// A `DynamoDB` with an empty table, as long as it is not dropped.
pub struct Database {
    embedded: EmbeddedDynamoDb,
}

impl Database {
    /// Starts it, with the table of `template.yaml`.
    pub async fn start() -> Self {
        Self { embedded: test_table().await }
    }

    /// Its table, through a client of its own.
    #[must_use]
    pub fn table(&self) -> Table {
        table(self.embedded.endpoint_url().to_owned(), self.embedded.table_name())
    }
}

/// The same without a client.
pub async fn test_table() -> EmbeddedDynamoDb {
    evidence::start();
    storefront_embedded::test_table().await
}

/// A table of a `DynamoDB` that refuses connections.
#[must_use]
pub fn unreachable_table() -> Table {
    // Port 1 (tcpmux) is privileged, and nothing has served it for decades.
    table("http://127.0.0.1:1".to_owned(), "storefront")
}

fn table(endpoint_url: String, name: &str) -> Table {
    Table::new(aws::dynamodb(&aws::emulator_config(), Some(endpoint_url)), name)
}
