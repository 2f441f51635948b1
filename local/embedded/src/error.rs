use std::io;
use std::path::PathBuf;

/// Why the embedded DynamoDB is not available.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be opened as a database.
    #[error("cannot use the database {}: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The existing table differs from the definition.
    #[error(
        "the table {table_name} in the database differs from its definition: {property} is \
         {actual}, but the definition has {expected}"
    )]
    TableDiffers {
        /// The table.
        table_name: String,
        /// The first property that differs.
        property: &'static str,
        /// The table's value.
        actual: String,
        /// The definition's value.
        expected: String,
    },
    /// DynamoDB could not create a table from the definition.
    #[error("the table cannot be created: {0}")]
    Definition(#[from] serde_json::Error),
    /// The database rejected a request or failed.
    #[error(transparent)]
    Database(#[from] dynoxide::DynoxideError),
    /// The listener could not be opened or served.
    #[error("cannot serve DynamoDB's API: {0}")]
    Serve(#[source] io::Error),
}
