//! The table of a shop: served in this process while it is filled, and in its own process while it
//! is measured.
//!
//! `SQLite`, as built here, has one page cache for all databases of a process. In one process, the
//! largest table would take the cache from the others, and be the fastest.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use clap::Parser;
use dynoxide::Database;
use storefront_cloud::TABLE_NAME;
use storefront_embedded::{EmbeddedDynamoDb, Storage};
use storefront_template::TableDefinition;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::Error;

/// The subcommand that a [`Server`] runs.
pub(crate) const SERVE: &str = "serve-table";

/// The table to serve.
#[derive(Debug, Parser)]
pub(crate) struct ServeArgs {
    /// The file of the database.
    file: PathBuf,
}

/// A table in a file, served by this process.
pub(crate) struct Store {
    embedded: EmbeddedDynamoDb,
    file: PathBuf,
}

impl Store {
    /// Opens the table, or creates an empty one.
    pub(crate) async fn open(file: PathBuf, definition: &TableDefinition) -> Result<Self, Error> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::services)?;
        let storage = Storage::File(file.clone());
        let embedded = EmbeddedDynamoDb::serve(&storage, listener, definition, TABLE_NAME);
        Ok(Self { embedded: embedded.map_err(Error::services)?, file })
    }

    pub(crate) fn endpoint_url(&self) -> &str {
        self.embedded.endpoint_url()
    }

    /// The database itself, for access without requests.
    pub(crate) fn database(&self) -> &Database {
        self.embedded.database()
    }

    /// The size of its files.
    pub(crate) fn bytes(&self) -> u64 {
        let log = PathBuf::from(format!("{}-wal", self.file.display()));
        bytes(&self.file) + bytes(&log)
    }

    pub(crate) async fn close(self) -> Result<(), Error> {
        self.embedded.shutdown().await.map_err(Error::services)
    }
}

/// The size of a file.
pub(crate) fn bytes(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |found| found.len())
}

/// A table that another process serves. The process ends when this is dropped.
pub(crate) struct Server {
    pub(crate) endpoint_url: String,
    _process: Child,
}

impl Server {
    /// Starts this program again.
    pub(crate) async fn start(file: &Path) -> Result<Self, Error> {
        let program = std::env::current_exe().map_err(Error::io("cannot find this program"))?;
        let mut process = Command::new(program)
            .arg(SERVE)
            .arg(file)
            // Its end tells the child that this process has ended, for whatever reason.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::io("cannot start a process for a table"))?;
        let mut endpoint_url = String::new();
        if let Some(output) = process.stdout.take() {
            let read = BufReader::new(output).read_line(&mut endpoint_url).await;
            read.map_err(Error::io("cannot read the address of a table"))?;
        }
        let endpoint_url = endpoint_url.trim().to_owned();
        if endpoint_url.is_empty() {
            return Err(Error::services("the process that serves a table has ended"));
        }
        Ok(Self { endpoint_url, _process: process })
    }
}

/// Serves a table, prints its address, and continues until the parent process ends.
pub(crate) async fn serve(args: ServeArgs, definition: &TableDefinition) -> Result<(), Error> {
    let store = Store::open(args.file, definition).await?;
    let mut output = io::stdout();
    writeln!(output, "{}", store.endpoint_url())
        .and_then(|()| output.flush())
        .map_err(Error::io("cannot print the address of the table"))?;
    let waiting = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    waiting.await.map_err(Error::services)?.map_err(Error::io("cannot wait for the end"))?;
    store.close().await
}
