//! The table that is loaded: whether it is the right one.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    ConsumedCapacity, IndexStatus, KeySchemaElement, KeyType, ProjectionType, StreamSpecification,
    TableDescription, TableStatus,
};
use storefront_core::aws::{self, SdkConfig};
use storefront_core::schema::{GSI1, GSI1PK, GSI1SK, PK, SK};

use crate::Error;

/// A batch may be 16 MB, over whatever there is between an operator and a region.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// A table that can be loaded.
#[derive(Debug)]
pub(crate) struct Target {
    /// For writing: what goes wrong is seen at once.
    pub(crate) client: Client,
    /// For reading, which is simply tried again.
    pub(crate) reads: Client,
    pub(crate) name: String,
    /// What tells it from another of its name.
    pub(crate) id: Option<String>,
    pub(crate) has_stream: bool,
}

impl Target {
    /// Finds it, and sees that items of the shop have their place there.
    pub(crate) async fn find(name: &str, endpoint_url: Option<String>) -> Result<Self, Error> {
        let endpoint_url = endpoint_url.or_else(|| aws::endpoint_url("DYNAMODB"));
        let config = aws::operator_config().await?;
        let reads = aws::dynamodb(&config, endpoint_url.clone());
        let client = client(&config, endpoint_url);
        let described = reads.describe_table().table_name(name).send().await;
        let table = described.map_err(table_error("describe"))?.table;
        let table =
            table.ok_or_else(|| Error::WrongTable(name.to_owned(), "is not there".into()))?;
        if let Some(problem) = problem(&table) {
            return Err(Error::WrongTable(name.to_owned(), problem));
        }
        let has_stream =
            table.stream_specification().is_some_and(StreamSpecification::stream_enabled);
        Ok(Self { client, reads, name: name.to_owned(), id: table.table_id, has_stream })
    }

    /// Whether nothing is in it.
    pub(super) async fn is_empty(&self) -> Result<bool, Error> {
        let first =
            self.reads.scan().table_name(&self.name).limit(1).consistent_read(true).send().await;
        Ok(first.map_err(table_error("read"))?.count() == 0)
    }
}

/// Tries are counted, and timed, where batches are: the SDK's own would hide the throttles.
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

/// The units that an answer says were consumed, if it says so.
pub(crate) fn consumed(found: &[ConsumedCapacity]) -> Option<f64> {
    (!found.is_empty()).then(|| found.iter().filter_map(|table| table.capacity_units).sum())
}

pub(crate) fn table_error<E>(doing: &'static str) -> impl Fn(E) -> Error
where
    aws_sdk_dynamodb::Error: From<E>,
{
    move |error| Error::Table { doing, source: Box::new(error.into()) }
}

/// Why the shop's items could not be written or not be found.
fn problem(table: &TableDescription) -> Option<String> {
    if table.table_status() != Some(&TableStatus::Active) {
        let status = table.table_status().map_or("unknown", TableStatus::as_str);
        return Some(format!("is not active, but {status}: wait until it is"));
    }
    if !has_keys(table.key_schema(), PK, SK) {
        return Some(format!("has other keys than {PK} and {SK}"));
    }
    let index =
        table.global_secondary_indexes().iter().find(|index| index.index_name() == Some(GSI1));
    let Some(index) = index else { return Some(format!("is without the index {GSI1}")) };
    if !has_keys(index.key_schema(), GSI1PK, GSI1SK) {
        return Some(format!("has an index {GSI1} of other keys than {GSI1PK} and {GSI1SK}"));
    }
    let projection = index.projection().and_then(|projection| projection.projection_type());
    if projection != Some(&ProjectionType::All) {
        return Some(format!("has an index {GSI1} that is without some attributes"));
    }
    // Some emulators do not say.
    if index.index_status().is_some_and(|status| *status != IndexStatus::Active) {
        return Some(format!("has an index {GSI1} that is not active: wait until it is"));
    }
    None
}

fn has_keys(schema: &[KeySchemaElement], hash: &str, range: &str) -> bool {
    let is = |name, kind| {
        schema.iter().any(|key| key.attribute_name() == name && *key.key_type() == kind)
    };
    schema.len() == 2 && is(hash, KeyType::Hash) && is(range, KeyType::Range)
}
