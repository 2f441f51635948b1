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
    /// What a generator of example data met.
    #[error("cannot write the example data; it needs a database without tables")]
    Generate(#[source] sqlx::Error),
}
