use std::io;
use std::path::PathBuf;

use crate::Entity;

/// Why a source could not be read. What is wrong with a single row is a
/// [`Reject`](crate::Reject) instead, and stops nothing.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("cannot read the mapping {}", path.display())]
    ReadMapping { path: PathBuf, source: io::Error },
    #[error("{} is no mapping: {source}", path.display())]
    Mapping { path: PathBuf, source: Box<toml::de::Error> },
    #[error("no source is given: set DATABASE_URL, or url in the mapping's [source]")]
    NoSource,
    #[error(
        "a source's URL begins with postgres://, mysql://, mariadb:// or sqlite:, and not with {0:?}"
    )]
    UnknownSource(String),
    #[error("cannot open the source")]
    Connect(#[source] sqlx::Error),
    #[error("the select of [{}] is refused", entity.section())]
    Select { entity: Entity, source: sqlx::Error },
    #[error("the mapping does not fit:\n  {}", .0.join("\n  "))]
    Columns(Vec<String>),
    #[error("cannot read {}", entity.section())]
    Read { entity: Entity, source: sqlx::Error },
    /// Pages follow the key, which has to be something that can be compared exactly.
    #[error(
        "{column} of [{}] is {found}; a key must be an integer, a text, a UUID or bytes: cast it in the select",
        entity.section()
    )]
    Key { entity: Entity, column: String, found: String },
    #[error(
        "more than {rows} rows of [{}] have the key {key}; does a JOIN of its select repeat them?",
        entity.section()
    )]
    SharedKey { entity: Entity, key: String, rows: usize },
    #[error("cannot read {}", path.display())]
    ReadFile { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    WriteFile { path: PathBuf, source: io::Error },
    #[error("{} has no prices: {source}", path.display())]
    Prices { path: PathBuf, source: Box<toml::de::Error> },
    #[error("{} is no export of pg_stat_statements", path.display())]
    Queries { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    /// What is counted does not fit into memory, and a temporary file does not take it.
    #[error("cannot count in a temporary file; is there room where TMPDIR says?")]
    Scratch(#[source] sqlx::Error),
    #[error("cannot use {}", path.display())]
    State { path: PathBuf, source: io::Error },
    #[error("{} is no state of this program's: {why}", path.display())]
    OtherState { path: PathBuf, why: String },
    #[error("another load is using the state folder {}", .0.display())]
    InUse(PathBuf),
    #[error(
        "the state folder {} is of another load: {difference}. Give the old one's again, or another folder; \
         --start-over begins anew with this one",
        folder.display()
    )]
    OtherLoad { folder: PathBuf, difference: String },
    #[error(
        "nothing was loaded with the state folder {}, or not all of it: run the load without --catch-up until it is done",
        .0.display()
    )]
    NotLoaded(PathBuf),
    /// Files were written, and are not in the table.
    #[error(
        "the table {0} is empty: import the files into it first, and then load what was changed since"
    )]
    NotImported(String),
    /// A load would overwrite what it finds.
    #[error(
        "the table {0} is not empty, and the state folder does not know it: load into an empty table, or give the \
         state folder of the load that filled it"
    )]
    NotEmpty(String),
    /// An import would take what is there for items.
    #[error("the folder {} is not empty, and the state folder does not know it", .0.display())]
    FolderNotEmpty(PathBuf),
    #[error("--to takes import and a folder: --to import FOLDER")]
    OtherTarget,
    #[error("the table {0} {1}")]
    WrongTable(String, String),
    #[error(transparent)]
    Config(#[from] storefront_core::aws::ConfigError),
    #[error("cannot {doing} the table")]
    Table { doing: &'static str, source: Box<aws_sdk_dynamodb::Error> },
    /// DynamoDB took only a part, and then nothing more.
    #[error("the table does not take {items} items of a batch: does it have the capacity?")]
    Unprocessed { items: usize },
    /// DynamoDB gave only a part, and then nothing more.
    #[error("the table does not give {items} items of a batch: does it have the capacity?")]
    Unread { items: usize },
    /// What is compared is not what was loaded.
    #[error("the state folder {} is of another load: {difference}", folder.display())]
    NotOfThisLoad { folder: PathBuf, difference: String },
    #[error("cannot read the table as the shop does")]
    Sample(#[source] storefront_core::Error),
    #[error("others keep writing what is to be written")]
    Conflict,
    #[error("it was interrupted: {0}")]
    Interrupted(String),
    /// An item cannot be made, which is a fault of this program's.
    #[error("cannot make an item")]
    Item(#[source] storefront_core::Error),
    /// Something cannot be written as JSON, which is a fault of this program's.
    #[error("cannot write JSON")]
    Json(#[source] serde_json::Error),
    #[error("cannot sort out the users' emails in the state folder")]
    Claims(#[source] sqlx::Error),
}
