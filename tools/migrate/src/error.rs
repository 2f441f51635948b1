use std::io;
use std::path::PathBuf;

use crate::Entity;

/// Why a command failed. A row that breaks a rule is a [`Reject`](crate::Reject) instead, and stops
/// nothing.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("cannot read the mapping {}", path.display())]
    ReadMapping { path: PathBuf, source: io::Error },
    #[error("{} is not a mapping: {source}", path.display())]
    Mapping { path: PathBuf, source: Box<toml::de::Error> },
    #[error("no source is given: set DATABASE_URL, or url in the mapping's [source]")]
    NoSource,
    #[error(
        "a source's URL must begin with postgres://, mysql://, mariadb:// or sqlite:, not with {0:?}"
    )]
    UnknownSource(String),
    #[error("cannot open the source")]
    Connect(#[source] sqlx::Error),
    #[error("the database rejects the select of [{}]", entity.section())]
    Select { entity: Entity, source: sqlx::Error },
    #[error("the mapping does not fit the database:\n  {}", .0.join("\n  "))]
    Columns(Vec<String>),
    #[error("cannot read {}", entity.section())]
    Read { entity: Entity, source: sqlx::Error },
    /// Pages follow the key, so its values must be exactly comparable.
    #[error(
        "{column} of [{}] is {found}; a key must be an integer, a string, a UUID or bytes: cast it in the select",
        entity.section()
    )]
    Key { entity: Entity, column: String, found: String },
    #[error(
        "more than {rows} rows of [{}] have the key {key}; does a JOIN in its select repeat them?",
        entity.section()
    )]
    SharedKey { entity: Entity, key: String, rows: usize },
    #[error("cannot read {}", path.display())]
    ReadFile { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    WriteFile { path: PathBuf, source: io::Error },
    #[error("{} is not a price list: {source}", path.display())]
    Prices { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{} is not an export of pg_stat_statements", path.display())]
    Queries { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    /// The counts are kept in a temporary file, because they do not fit into memory.
    #[error("cannot use a temporary file for the counts; is there space in TMPDIR?")]
    Scratch(#[source] sqlx::Error),
    #[error("cannot use {}", path.display())]
    State { path: PathBuf, source: io::Error },
    #[error("{} is not a state of this program: {why}", path.display())]
    OtherState { path: PathBuf, why: String },
    #[error("another load is using the state folder {}", .0.display())]
    InUse(PathBuf),
    #[error(
        "the state folder {} belongs to another load: {difference}. Repeat what that load was given, or use another \
         folder; --start-over starts again with this one",
        folder.display()
    )]
    OtherLoad { folder: PathBuf, difference: String },
    #[error(
        "no load has been completed with the state folder {}: run the load without --catch-up until it is done",
        .0.display()
    )]
    NotLoaded(PathBuf),
    /// The files were written, but have not been imported into the table.
    #[error(
        "the table {0} is empty: import the files into it first, and then load what has changed since"
    )]
    NotImported(String),
    /// A load would overwrite existing items.
    #[error(
        "the table {0} is not empty, and no load with this state folder filled it: load into an empty table, or \
         give the state folder of the load that filled it"
    )]
    NotEmpty(String),
    /// An import would read existing files as items.
    #[error("the folder {} is not empty, and no load with this state folder filled it", .0.display())]
    FolderNotEmpty(PathBuf),
    #[error("--to takes `import` and a folder: --to import FOLDER")]
    OtherTarget,
    #[error("the table {0} {1}")]
    WrongTable(String, String),
    #[error(transparent)]
    Config(#[from] storefront_core::aws::ConfigError),
    #[error("cannot {doing} the table")]
    Table { doing: &'static str, source: Box<aws_sdk_dynamodb::Error> },
    /// DynamoDB wrote a part of a batch, and no more after retries.
    #[error("the table does not accept {items} items of a batch: does it have the capacity?")]
    Unprocessed { items: usize },
    /// DynamoDB returned a part of a batch, and no more after retries.
    #[error("the table does not return {items} items of a batch: does it have the capacity?")]
    Unread { items: usize },
    /// The comparison is not with the source and the table of the load.
    #[error("the state folder {} belongs to another load: {difference}", folder.display())]
    NotOfThisLoad { folder: PathBuf, difference: String },
    #[error("cannot read the table as the shop does")]
    Sample(#[source] storefront_core::Error),
    #[error("other writers keep changing the same items")]
    Conflict,
    #[error("interrupted: {0}")]
    Interrupted(String),
    /// An item cannot be made, which is a bug in this program.
    #[error("cannot make an item")]
    Item(#[source] storefront_core::Error),
    /// Something cannot be written as JSON, which is a bug in this program.
    #[error("cannot write JSON")]
    Json(#[source] serde_json::Error),
    #[error("cannot compare the users' emails in the state folder")]
    Claims(#[source] sqlx::Error),
}
