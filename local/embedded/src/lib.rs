//! The table of `template.yaml` in an embedded DynamoDB, served over HTTP.
//!
//! The local cloud keeps its data in it, and every test of the suite starts one of its own: it is
//! up in about a millisecond, and the real SDK talks to it.
//!
//! It is [dynoxide](https://github.com/nubo-db/dynoxide), and differs from DynamoDB where that
//! differs: a write that changes nothing leaves a MODIFY record in the stream, the stream has one
//! shard, and a transaction never fails for a conflict.

mod error;
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

/// Where the items are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In this process only.
    Memory,
    /// In a file, which is created when it is absent. What was acknowledged survives the end of
    /// the process, however it comes; a power failure may take the last moments.
    File(PathBuf),
}

/// A DynamoDB with one table, served until it is shut down or dropped.
///
/// Dropping it stops accepting connections; [`shutdown`](Self::shutdown) also waits for the
/// requests that are under way.
pub struct EmbeddedDynamoDb {
    database: Database,
    endpoint_url: String,
    table_name: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), String>>,
}

impl EmbeddedDynamoDb {
    /// An empty table in memory, on a port that was free.
    pub async fn in_memory(definition: &TableDefinition, table_name: &str) -> Result<Self, Error> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Serve)?;
        Self::serve(&Storage::Memory, listener, definition, table_name)
    }

    /// A table in `storage` on this listener; the table is created when it is absent.
    ///
    /// Fails when a table of this name is there and is not what the definition says: what should
    /// become of its items is not for this to decide.
    pub fn serve(
        storage: &Storage,
        listener: TcpListener,
        definition: &TableDefinition,
        table_name: &str,
    ) -> Result<Self, Error> {
        let endpoint_url = format!("http://{}", listener.local_addr().map_err(Error::Serve)?);
        let database = match storage {
            Storage::Memory => open_in_memory()?,
            Storage::File(path) => open(path)?,
        };
        table::ensure(&database, definition, table_name)?;

        let (stop, stopped) = oneshot::channel();
        let until_stopped =
            dynoxide::server::serve_with_shutdown(listener, database.clone(), async {
                // A dropped sender stops the server as well.
                let _ = stopped.await;
            });
        let server = tokio::spawn(until_stopped);
        Ok(Self { database, endpoint_url, table_name: table_name.to_owned(), stop, server })
    }

    /// Where the SDK finds it.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// The name of its one table.
    #[must_use]
    pub fn table_name(&self) -> &str {
        &self.table_name
    }

    /// The database itself, for what needs no HTTP: reading the stream, removing expired items.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Stops serving when the requests under way are answered.
    pub async fn shutdown(self) -> Result<(), Error> {
        // The receiver is gone only when the server is.
        let _ = self.stop.send(());
        match self.server.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(message)) => Err(Error::Serve(io::Error::other(message))),
            Err(panic) => Err(Error::Serve(io::Error::other(panic))),
        }
    }
}

/// An isolated, empty table as this repository's `template.yaml` defines it.
///
/// # Panics
///
/// When it cannot be started. It is for tests.
#[allow(clippy::expect_used, reason = "a test has no better answer")]
pub async fn test_table() -> EmbeddedDynamoDb {
    EmbeddedDynamoDb::in_memory(test_definition(), TEST_TABLE)
        .await
        .expect("an embedded DynamoDB starts")
}

/// The same without a server, for a test that asks the database itself; and the table's name.
///
/// # Panics
///
/// When it cannot be started. It is for tests.
#[must_use]
#[allow(clippy::expect_used, reason = "a test has no better answer")]
pub fn test_database() -> (Database, String) {
    let database = Database::memory().expect("an embedded DynamoDB starts");
    table::ensure(&database, test_definition(), TEST_TABLE).expect("the table can be created");
    (database, TEST_TABLE.to_owned())
}

const TEST_TABLE: &str = "storefront";

/// Read once: a test may want hundreds of tables.
#[allow(clippy::expect_used, reason = "a test has no better answer")]
fn test_definition() -> &'static TableDefinition {
    static DEFINITION: OnceLock<TableDefinition> = OnceLock::new();
    DEFINITION.get_or_init(|| {
        Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"))
            .and_then(|template| template.table())
            .expect("template.yaml defines the table")
    })
}

/// A database in memory, under a name of its own by which a second connection finds it.
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
    // Among other things, this leaves it to the operating system when to write to the disk. By
    // default each transaction would wait for that, for up to a second on a busy laptop.
    database.disable_bulk_loading().map_err(|error| unusable(error.into()))?;
    stream_store::tend(path).map_err(|error| unusable(error.into()))?;
    Ok(database)
}
