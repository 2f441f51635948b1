use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Why the local cloud does not run. The messages also say what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The template cannot be used.
    #[error("{0}")]
    Template(#[from] storefront_template::Error),
    /// The template names a function that it does not define.
    #[error("the template invokes {logical_id}, which is not an AWS::Serverless::Function in it")]
    NoSuchFunction {
        /// Its logical id.
        logical_id: String,
    },
    /// Two routes are ambiguous, or one is malformed.
    #[error("the template's route {path} cannot be served: {message}")]
    Route {
        /// Its path.
        path: String,
        /// Why.
        message: String,
    },
    /// A pattern of a rule or of an event source mapping's filter is invalid.
    #[error("the template's event pattern {pattern} is not valid: {message}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        message: String,
    },
    /// Another program listens on the port.
    #[error(
        "port {} is taken by another program (perhaps another storefront); stop it, or choose \
         another port with {flag}",
        address.port()
    )]
    PortTaken {
        /// The address.
        address: SocketAddr,
        /// The option that chooses another.
        flag: &'static str,
    },
    /// The listener cannot be opened.
    #[error("cannot listen on {address} ({flag}): {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The option that chooses another.
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
    /// The data belongs to a table that differs from the template's.
    #[error(
        "{source}; the data in {} was created from another template: choose another folder \
         with --data-dir, or move this one away to start over",
        path.display()
    )]
    OtherTable {
        /// The folder.
        path: PathBuf,
        /// What differs.
        source: storefront_embedded::Error,
    },
    /// The file of the table cannot be used.
    #[error(
        "{0}; if the file is damaged, move it away to start over: all users, products and orders in it \
         are lost"
    )]
    UnusableTable(#[source] storefront_embedded::Error),
    /// The embedded database cannot be started.
    #[error("{0}")]
    Embedded(#[from] storefront_embedded::Error),
    /// The database failed.
    #[error("the embedded DynamoDB failed: {0}")]
    Database(#[from] dynoxide::DynoxideError),
    /// A consumer's place in the stream cannot be understood.
    #[error(
        "{} is not a consumer's place in the stream: {source}; delete the file: the consumer then \
         begins at the oldest record of the stream, so what happened in the last 24 hours reaches it \
         again",
        path.display()
    )]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The database of the queues failed.
    #[error("the queues cannot be kept{}: {source}{}", of(path.as_deref()), way_out(path.as_deref()))]
    Queues {
        /// The file, if there is one.
        path: Option<PathBuf>,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The table has no stream.
    #[error("the template's function reads the table's stream, but the table has none")]
    NoStream,
    /// A record cannot be written as JSON.
    #[error("a stream record cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The catalogue cannot be written to the table.
    #[error("cannot fill the table: {0} (--empty leaves it empty)")]
    Seed(Box<dyn std::error::Error + Send + Sync>),
    /// The functions cannot be set up.
    #[error("cannot set up the functions: {0}")]
    Functions(Box<dyn std::error::Error + Send + Sync>),
}

fn of(path: Option<&Path>) -> String {
    path.map(|path| format!(" in {}", path.display())).unwrap_or_default()
}

fn way_out(path: Option<&Path>) -> &'static str {
    match path {
        Some(_) => {
            "; if the file is damaged, delete it: the messages of all queues are lost, and the \
             events that wait for a function"
        }
        None => "",
    }
}
