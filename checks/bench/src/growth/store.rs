//! The table of a shop: in this process while it is filled, and in one of its own when it is measured.
//!
//! `SQLite`, as it is built here, has one page cache for all databases of a process. Side by side in one
//! process the largest table would take it from the others, and be the fastest.

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

/// The sub-command that a [`Server`] runs.
pub(crate) const SERVE: &str = "serve-table";

/// Which table is served.
#[derive(Debug, Parser)]
pub(crate) struct ServeArgs {
    /// The database.
    file: PathBuf,
}

/// A table in a file, served by this process.
pub(crate) struct Store {
    embedded: EmbeddedDynamoDb,
    file: PathBuf,
}

impl Store {
    /// Opens it; an empty one where there is none.
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

    /// The database itself, for what needs no requests.
    pub(crate) fn database(&self) -> &Database {
        self.embedded.database()
    }

    /// How large its files are.
    pub(crate) fn bytes(&self) -> u64 {
        let log = PathBuf::from(format!("{}-wal", self.file.display()));
        bytes(&self.file) + bytes(&log)
    }

    pub(crate) async fn close(self) -> Result<(), Error> {
        self.embedded.shutdown().await.map_err(Error::services)
    }
}

/// How large a file is.
pub(crate) fn bytes(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |found| found.len())
}

/// A table that another process serves, as long as this is not dropped.
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
            // What tells it that this process has ended, however that came.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::io("cannot start a process for a table"))?;
        let mut endpoint_url = String::new();
        if let Some(output) = process.stdout.take() {
            let read = BufReader::new(output).read_line(&mut endpoint_url).await;
            read.map_err(Error::io("cannot hear where a table is served"))?;
        }
        let endpoint_url = endpoint_url.trim().to_owned();
        if endpoint_url.is_empty() {
            return Err(Error::services("the process of a table ended"));
        }
        Ok(Self { endpoint_url, _process: process })
    }
}

/// Serves a table, says where, and goes on until whoever asked for it is gone.
pub(crate) async fn serve(args: ServeArgs, definition: &TableDefinition) -> Result<(), Error> {
    let store = Store::open(args.file, definition).await?;
    let mut output = io::stdout();
    writeln!(output, "{}", store.endpoint_url())
        .and_then(|()| output.flush())
        .map_err(Error::io("cannot say where the table is served"))?;
    let waiting = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    waiting.await.map_err(Error::services)?.map_err(Error::io("cannot wait for the end"))?;
    store.close().await
}
