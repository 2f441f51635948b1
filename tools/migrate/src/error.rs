use std::io;
use std::path::PathBuf;

use crate::Entity;

/// Why a source could not be read. What is wrong with a single row is a
/// [`Reject`](crate::Reject) instead, and stops nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The mapping is not where it should be.
    #[error("cannot read the mapping {}", path.display())]
    ReadMapping {
        /// Where it was looked for.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The mapping is not what a mapping looks like.
    #[error("{} is no mapping: {source}", path.display())]
    Mapping {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: Box<toml::de::Error>,
    },
    /// Nobody said where to read.
    #[error("no source is given: set DATABASE_URL, or url in the mapping's [source]")]
    NoSource,
    /// The URL names a database that is not known.
    #[error(
        "a source's URL begins with postgres://, mysql://, mariadb:// or sqlite:, and not with {0:?}"
    )]
    UnknownSource(String),
    /// The database cannot be reached, or does not let us in.
    #[error("cannot open the source")]
    Connect(#[source] sqlx::Error),
    /// The database does not take a SELECT of the mapping.
    #[error("the select of [{}] is refused", entity.section())]
    Select {
        /// Whose.
        entity: Entity,
        /// What the database says.
        source: sqlx::Error,
    },
    /// The SELECTs yield other columns than the entities have. Each line is one of them.
    #[error("the mapping does not fit:\n  {}", .0.join("\n  "))]
    Columns(Vec<String>),
    /// Reading stopped in the middle.
    #[error("cannot read {}", entity.section())]
    Read {
        /// What was read.
        entity: Entity,
        /// Why it stopped.
        source: sqlx::Error,
    },
    /// Pages follow the key, which has to be something that can be compared exactly.
    #[error(
        "{column} of [{}] is {found}; a key must be an integer, a text, a UUID or bytes: cast it in the select",
        entity.section()
    )]
    Key {
        /// Whose key.
        entity: Entity,
        /// The column.
        column: String,
        /// What it holds.
        found: String,
    },
    /// So many rows have one key that it cannot be one.
    #[error(
        "more than {rows} rows of [{}] have the key {key}; does a JOIN of its select repeat them?",
        entity.section()
    )]
    SharedKey {
        /// Whose key.
        entity: Entity,
        /// The key.
        key: String,
        /// How many were read.
        rows: usize,
    },
    /// A file of a review's cannot be read.
    #[error("cannot read {}", path.display())]
    ReadFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A report cannot be written.
    #[error("cannot write {}", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The prices are not what prices look like.
    #[error("{} has no prices: {source}", path.display())]
    Prices {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: Box<toml::de::Error>,
    },
    /// An export of `pg_stat_statements` is not what one looks like.
    #[error("{} is no export of pg_stat_statements", path.display())]
    Queries {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is counted does not fit into memory, and a temporary file does not take it.
    #[error("cannot count in a temporary file; is there room where TMPDIR says?")]
    Scratch(#[source] sqlx::Error),
    /// A unit has no items.
    #[error("cannot make items")]
    Items(#[source] storefront_core::Error),
    /// A file of the state folder cannot be read or written.
    #[error("cannot use {}", path.display())]
    State {
        /// The file, or the folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The state folder has something else in it.
    #[error("{} is no state of this program's: {why}", path.display())]
    OtherState {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Two programs, one state folder.
    #[error("another load is using the state folder {}", .0.display())]
    InUse(PathBuf),
    /// The state folder is of another load.
    #[error(
        "the state folder {} is of another load: {difference}. Give the old one's again, or another folder; \
         --start-over begins anew with this one",
        folder.display()
    )]
    OtherLoad {
        /// The folder.
        folder: PathBuf,
        /// What was another.
        difference: String,
    },
    /// There is nothing to catch up with.
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
    /// A word after `--to` that is not known.
    #[error("--to takes import and a folder: --to import FOLDER")]
    OtherTarget,
    /// The table is not one of the shop's.
    #[error("the table {0} {1}")]
    WrongTable(String, String),
    /// AWS cannot be reached from here.
    #[error(transparent)]
    Config(#[from] storefront_core::aws::ConfigError),
    /// DynamoDB refused, or did not answer.
    #[error("cannot {doing} the table")]
    Table {
        /// What was tried.
        doing: &'static str,
        /// What it says.
        source: Box<aws_sdk_dynamodb::Error>,
    },
    /// DynamoDB took only a part, and then nothing more.
    #[error("the table does not take {items} items of a batch: does it have the capacity?")]
    Unprocessed {
        /// How many were left.
        items: usize,
    },
    /// DynamoDB gave only a part, and then nothing more.
    #[error("the table does not give {items} items of a batch: does it have the capacity?")]
    Unread {
        /// How many were left.
        items: usize,
    },
    /// What is compared is not what was loaded.
    #[error("the state folder {} is of another load: {difference}", folder.display())]
    NotOfThisLoad {
        /// The folder.
        folder: PathBuf,
        /// What was another.
        difference: String,
    },
    /// The shop's own repositories cannot read the table.
    #[error("cannot read the table as the shop does")]
    Sample(#[source] storefront_core::Error),
    /// Others write the same items all the time.
    #[error("others keep writing what is to be written")]
    Conflict,
    /// A part of the program ended before its time.
    #[error("it was interrupted: {0}")]
    Interrupted(String),
    /// An item cannot be made, which is a fault of this program's.
    #[error("cannot make an item")]
    Item(#[source] storefront_core::Error),
    /// Something cannot be written as JSON, which is a fault of this program's.
    #[error("cannot write JSON")]
    Json(#[source] serde_json::Error),
    /// Who has which email could not be sorted out.
    #[error("cannot sort out the users' emails in the state folder")]
    Claims(#[source] sqlx::Error),
}
