use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the local cloud does not run. Each is a sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template cannot be used.
    #[error("{0}")]
    Template(#[from] storefront_template::Error),
    /// The template names a function that it does not define.
    #[error("the template invokes {logical_id}, which is no AWS::Serverless::Function in it")]
    NoSuchFunction {
        /// Its logical id.
        logical_id: String,
    },
    /// The template has a function that is not part of the suite.
    #[error(
        "the template's function {logical_id} is built from the binary {binary}, which the suite \
         does not have; add it to `functions` in local/suite/src/lib.rs"
    )]
    UnknownBinary {
        /// Its logical id.
        logical_id: String,
        /// Its binary.
        binary: String,
    },
    /// Two routes cannot be told apart, or one is malformed.
    #[error("the template's route {path} cannot be served: {message}")]
    Route {
        /// Its path.
        path: String,
        /// Why.
        message: String,
    },
    /// A filter pattern of the event source mapping is wrong.
    #[error("the template's stream filter {pattern} is not a pattern: {message}")]
    Filter {
        /// The pattern.
        pattern: String,
        /// Why.
        message: String,
    },
    /// Another program listens there.
    #[error(
        "port {} is taken by another program (perhaps another storefront); stop it, or choose \
         another port with {flag}",
        address.port()
    )]
    PortTaken {
        /// Where.
        address: SocketAddr,
        /// What chooses another.
        flag: &'static str,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address} ({flag}): {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What chooses another.
        flag: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Another local cloud uses the data.
    #[error(
        "the data folder {} is in use by another storefront; stop it, or give this one a folder \
         of its own with --data-dir",
        path.display()
    )]
    DataDirInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The data folder, or something in it, cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    DataDir {
        /// The folder or the file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The data is of a table that the template no longer has.
    #[error(
        "{source}; the data in {} was made with another template: choose another folder with \
         --data-dir, or move this one away to begin anew",
        path.display()
    )]
    OtherTable {
        /// The folder.
        path: PathBuf,
        /// What differs.
        source: storefront_embedded::Error,
    },
    /// The embedded database does not start.
    #[error("{0}")]
    Embedded(#[from] storefront_embedded::Error),
    /// The database failed.
    #[error("the embedded DynamoDB failed: {0}")]
    Database(#[from] dynoxide::DynoxideError),
    /// The table has no stream.
    #[error("the template's function reads the table's stream, but the table has none")]
    NoStream,
    /// A record does not become JSON.
    #[error("a stream record cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The catalogue cannot be put into the table.
    #[error("cannot fill the table: {0} (--empty leaves it empty)")]
    Seed(Box<dyn std::error::Error + Send + Sync>),
    /// The functions cannot be set up.
    #[error("cannot set up the functions: {0}")]
    Functions(Box<dyn std::error::Error + Send + Sync>),
}
