//! The embedded DynamoDB without a port of its own.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use dynoxide::Database;
use storefront_template::TableDefinition;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::{Error, Storage, table};

/// A request whose answer has no body, so that the end of its head is the end of the answer.
const PROBE: &[u8] = b"HEAD / HTTP/1.1\r\nhost: localhost\r\n\r\n";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// A DynamoDB with one table that only its owner can connect to.
///
/// dynoxide answers all requests, also those of pages of other sites, and only takes a listener. So each
/// connection gets a listener of its own, which is closed as soon as the connection is accepted.
#[derive(Clone)]
pub struct PrivateDynamoDb {
    database: Database,
    /// Connections end when the last clone is dropped.
    open: Arc<watch::Sender<()>>,
}

impl PrivateDynamoDb {
    /// Opens a table in `storage`, and creates it if it is missing.
    ///
    /// Fails if a table of this name exists and differs from the definition, because only the
    /// caller can decide what to do with its items.
    pub fn open(
        storage: &Storage,
        definition: &TableDefinition,
        table_name: &str,
    ) -> Result<Self, Error> {
        let database = storage.open()?;
        table::ensure(&database, definition, table_name)?;
        Ok(Self { database, open: Arc::new(watch::Sender::new(())) })
    }

    /// Returns the database itself, for tasks that need no HTTP: reading the stream, removing
    /// expired items.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Opens a connection that speaks DynamoDB's API over HTTP/1.1.
    pub async fn connect(&self) -> Result<TcpStream, Error> {
        self.accepted().await.map_err(Error::Serve)
    }

    async fn accepted(&self) -> io::Result<TcpStream> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // Waits in the listener's queue, the first of it, until the server accepts it.
        let mut stream = TcpStream::connect(listener.local_addr()?).await?;
        stream.set_nodelay(true)?;
        let mut open = self.open.subscribe();
        let server =
            dynoxide::server::serve_with_shutdown(listener, self.database.clone(), async move {
                // Nothing is ever sent: this ends when the sender is dropped.
                while open.changed().await.is_ok() {}
            });
        tokio::select! {
            // Drops the server, and with it the listener. Accepted connections are tasks of their own.
            answered = probe(&mut stream) => answered?,
            stopped = server => stopped.map_err(io::Error::other)?,
        }
        Ok(stream)
    }
}

/// Returns after the server has accepted the connection and answered on it.
async fn probe(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(PROBE).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(END_OF_HEAD) {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(())
}
