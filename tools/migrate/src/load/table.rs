//! The target table, and whether it is the right one.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    ConsumedCapacity, IndexStatus, KeySchemaElement, KeyType, ProjectionType, TableDescription,
    TableStatus,
};
use storefront_core::aws::{self, SdkConfig};
use storefront_core::schema::{GSI1, GSI1PK, GSI1SK, GSI2, GSI2PK, GSI2SK, PK, SK};

use crate::Error;

/// A batch may have 16 MB, and the operator's connection to the region may be slow.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// A table that can be loaded.
#[derive(Debug)]
pub(crate) struct Target {
    /// Without the SDK's retries: every failure is seen at once.
    pub(crate) client: Client,
    /// For reads, with the SDK's retries.
    pub(crate) reads: Client,
    pub(crate) name: String,
    /// Tells it from another table of the same name.
    pub(crate) id: Option<String>,
}

impl Target {
    /// Finds the table, and checks that it can hold the shop's items.
    pub(crate) async fn find(name: &str, endpoint_url: Option<String>) -> Result<Self, Error> {
        let endpoint_url = endpoint_url.or_else(|| aws::endpoint_url("DYNAMODB"));
        let config = aws::operator_config().await?;
        let reads = aws::dynamodb(&config, endpoint_url.clone());
        let client = client(&config, endpoint_url);
        let described = reads.describe_table().table_name(name).send().await;
        let table = described.map_err(table_error("describe"))?.table;
        let table =
            table.ok_or_else(|| Error::WrongTable(name.to_owned(), "does not exist".into()))?;
        if let Some(problem) = problem(&table) {
            return Err(Error::WrongTable(name.to_owned(), problem));
        }
        Ok(Self { client, reads, name: name.to_owned(), id: table.table_id })
    }

    /// Whether the table is empty.
    pub(super) async fn is_empty(&self) -> Result<bool, Error> {
        let first =
            self.reads.scan().table_name(&self.name).limit(1).consistent_read(true).send().await;
        Ok(first.map_err(table_error("read"))?.count() == 0)
    }
}

/// Returns a client without retries. Batches count and time their tries themselves, because the
/// SDK's retries would hide throttles.
fn client(config: &SdkConfig, endpoint_url: Option<String>) -> Client {
    let timeouts = aws::timeouts()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(ATTEMPT_TIMEOUT)
        .build();
    let retries = aws_sdk_dynamodb::config::retry::RetryConfig::disabled();
    let config =
        config.clone().into_builder().timeout_config(timeouts).retry_config(retries).build();
    aws::dynamodb(&config, endpoint_url)
}

/// Returns the units that a response says were consumed, if it says so.
pub(crate) fn consumed(found: &[ConsumedCapacity]) -> Option<f64> {
    (!found.is_empty()).then(|| found.iter().filter_map(|table| table.capacity_units).sum())
}

pub(crate) fn table_error<E>(doing: &'static str) -> impl Fn(E) -> Error
where
    aws_sdk_dynamodb::Error: From<E>,
{
    move |error| Error::Table { doing, source: Box::new(error.into()) }
}

/// Returns why the shop's items could not be written or found, if that is so.
fn problem(table: &TableDescription) -> Option<String> {
    if table.table_status() != Some(&TableStatus::Active) {
        let status = table.table_status().map_or("unknown", TableStatus::as_str);
        return Some(format!("is not active, but {status}: wait until it is"));
    }
    if !has_keys(table.key_schema(), PK, SK) {
        return Some(format!("has other keys than {PK} and {SK}"));
    }
    for (name, hash, range, projects) in [
        (GSI1, GSI1PK, GSI1SK, ProjectionType::All),
        (GSI2, GSI2PK, GSI2SK, ProjectionType::Include),
    ] {
        let index =
            table.global_secondary_indexes().iter().find(|index| index.index_name() == Some(name));
        let Some(index) = index else { return Some(format!("lacks the index {name}")) };
        if !has_keys(index.key_schema(), hash, range) {
            return Some(format!("has an index {name} with other keys than {hash} and {range}"));
        }
        let projection = index.projection().and_then(|projection| projection.projection_type());
        if ![Some(&projects), Some(&ProjectionType::All)].contains(&projection) {
            return Some(format!("has an index {name} that lacks some attributes"));
        }
        // Some emulators do not report it.
        if index.index_status().is_some_and(|status| *status != IndexStatus::Active) {
            return Some(format!("has an index {name} that is not active: wait until it is"));
        }
    }
    None
}

fn has_keys(schema: &[KeySchemaElement], hash: &str, range: &str) -> bool {
    let is = |name, kind| {
        schema.iter().any(|key| key.attribute_name() == name && *key.key_type() == kind)
    };
    schema.len() == 2 && is(hash, KeyType::Hash) && is(range, KeyType::Range)
}
