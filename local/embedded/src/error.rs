use std::io;
use std::path::PathBuf;

/// Why the embedded DynamoDB is not there.
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
    /// The table that is there is another one than the definition's.
    #[error(
        "the table {table_name} in the database differs from its definition: {property} is \
         {actual} where the definition says {expected}"
    )]
    TableDiffers {
        /// The table.
        table_name: String,
        /// What differs first.
        property: &'static str,
        /// What the table has.
        actual: String,
        /// What the definition has.
        expected: String,
    },
    /// The definition is not a table that DynamoDB would make.
    #[error("the table cannot be created: {0}")]
    Definition(#[from] serde_json::Error),
    /// The database refused or failed.
    #[error(transparent)]
    Database(#[from] dynoxide::DynoxideError),
    /// The listener could not be had or served.
    #[error("cannot serve DynamoDB's API: {0}")]
    Serve(#[source] io::Error),
}
