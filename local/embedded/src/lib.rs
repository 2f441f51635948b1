//! `template.yaml`'s table in an embedded DynamoDB, served over HTTP.
//!
//! The local cloud keeps its data in it, and every test of the suite starts its own: it starts in
//! about a millisecond, and the real SDK talks to it.
//!
//! It is [dynoxide](https://github.com/nubo-db/dynoxide), and differs from DynamoDB in the same
//! ways: a write that changes nothing leaves a MODIFY record in the stream, the stream has one
//! shard, and a transaction never fails because of a conflict. Each transaction looks through the
//! tokens of all those of the last ten minutes, which takes some 60 microseconds per thousand.

mod error;
mod private;
mod stream_store;
mod table;

use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use dynoxide::Database;
use storefront_template::{TableDefinition, Template};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use error::Error;
pub use private::PrivateDynamoDb;

/// Where the items are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In this process only.
    Memory,
    /// In a file, which is created if it is missing. Acknowledged writes survive even a crash of
    /// the process, but a power failure may lose the most recent ones.
    File(PathBuf),
}

impl Storage {
    fn open(&self) -> Result<Database, Error> {
        match self {
            Self::Memory => open_in_memory(),
            Self::File(path) => open(path),
        }
    }
}

/// A DynamoDB with one table, served until it is shut down or dropped. It is for tests, because
/// anybody can connect to it.
///
/// When dropped, it stops accepting connections. [`shutdown`](Self::shutdown) also waits for the
/// requests in flight.
pub struct EmbeddedDynamoDb {
    database: Database,
    endpoint_url: String,
    table_name: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), String>>,
}

impl EmbeddedDynamoDb {
    /// Serves an empty table in memory, on a free port.
    pub async fn in_memory(definition: &TableDefinition, table_name: &str) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Serve)?;
        Self::serve(&Storage::Memory, listener, definition, table_name)
    }

    /// Serves a table in `storage` on this listener, and creates the table if it is missing.
    ///
    /// Fails if a table of this name exists and differs from the definition, because only the
    /// caller can decide what to do with its items.
    pub fn serve(
        storage: &Storage,
        listener: TcpListener,
        definition: &TableDefinition,
        table_name: &str,
    ) -> Result<Self, Error> {
        let endpoint_url = format!("http://{}", listener.local_addr().map_err(Error::Serve)?);
        let database = storage.open()?;
        table::ensure(&database, definition, table_name)?;

        let (stop, stopped) = oneshot::channel();
        let until_stopped =
            dynoxide::server::serve_with_shutdown(listener, database.clone(), async {
                // A dropped sender stops the server, too.
                let _ = stopped.await;
            });
        let server = tokio::spawn(until_stopped);
        Ok(Self { database, endpoint_url, table_name: table_name.to_owned(), stop, server })
    }

    /// Returns its URL, for the SDK.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// Returns the name of its only table.
    #[must_use]
    pub fn table_name(&self) -> &str {
        &self.table_name
    }

    /// Returns the database itself, for tasks that need no HTTP: reading the stream, removing
    /// expired items.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Stops serving after the requests in flight have been answered.
    pub async fn shutdown(self) -> Result<(), Error> {
        // Fails only if the server has already stopped.
        let _ = self.stop.send(());
        match self.server.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(message)) => Err(Error::Serve(io::Error::other(message))),
            Err(panic) => Err(Error::Serve(io::Error::other(panic))),
        }
    }
}

/// Starts an isolated, empty table, as this repository's `template.yaml` defines it.
///
/// # Panics
///
/// If it cannot be started. It is for tests.
#[allow(clippy::expect_used, reason = "a test has no better answer")]
pub async fn test_table() -> EmbeddedDynamoDb {
    EmbeddedDynamoDb::in_memory(test_definition(), TEST_TABLE)
        .await
        .expect("an embedded DynamoDB starts")
}

/// Creates the same table without a server, for tests that use the database directly. Also returns
/// the table's name.
///
/// # Panics
///
/// If it cannot be started. It is for tests.
#[must_use]
#[allow(clippy::expect_used, reason = "a test has no better answer")]
pub fn test_database() -> (Database, String) {
    let database = Database::memory().expect("an embedded DynamoDB starts");
    table::ensure(&database, test_definition(), TEST_TABLE).expect("the table can be created");
    (database, TEST_TABLE.to_owned())
}

const TEST_TABLE: &str = "storefront";

/// Returns the definition of this repository's table, for tests. It is read once, because a test may
/// use hundreds of tables.
///
/// # Panics
///
/// If `template.yaml` does not define it.
#[allow(clippy::expect_used, reason = "a test has no better answer")]
pub fn test_definition() -> &'static TableDefinition {
    static DEFINITION: OnceLock<TableDefinition> = OnceLock::new();
    DEFINITION.get_or_init(|| {
        Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"))
            .and_then(|template| template.table())
            .expect("template.yaml defines the table")
    })
}

/// Opens a database in memory, under its own name, by which a second connection can find it.
/// <https://www.sqlite.org/inmemorydb.html#sharedmemdb>
fn open_in_memory() -> Result<Database, Error> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("file:storefront-{number}?mode=memory&cache=shared");
    let unusable = |source| Error::Unusable { path: PathBuf::from(&name), source };
    let database = Database::new(&name).map_err(|error| unusable(error.into()))?;
    stream_store::tend(Path::new(&name)).map_err(|error| unusable(error.into()))?;
    Ok(database)
}

fn open(path: &Path) -> Result<Database, Error> {
    let unusable = |source| Error::Unusable { path: path.to_owned(), source };
    let Some(text) = path.to_str() else {
        return Err(unusable("its path is not UTF-8".into()));
    };
    let database = Database::new(text).map_err(|error| unusable(error.into()))?;
    // Among other things, this lets the operating system decide when to write to the disk. By
    // default, each transaction would wait for the write, up to a second on a busy laptop.
    database.disable_bulk_loading().map_err(|error| unusable(error.into()))?;
    stream_store::tend(path).map_err(|error| unusable(error.into()))?;
    Ok(database)
}
