use std::io;
use std::net::Ipv4Addr;

use aws_sdk_dynamodb::Client;
use futures_util::future;
use storefront_core::aws::SdkConfig;
use storefront_core::{Table, aws};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::injector::{Injector, Outcome};
use super::{FaultyDynamoDb, Plan};

/// A [`FaultyDynamoDb`] behind a TCP socket, which resets connections and truncates answers on the
/// wire. It stops when dropped.
#[derive(Debug)]
pub struct Proxy {
    endpoint_url: String,
    table_name: String,
    server: JoinHandle<()>,
    /// Stops the server when it is dropped.
    stop: oneshot::Sender<()>,
}

impl Proxy {
    /// Serves the table on a free port, with the faults of the plan.
    pub async fn start(dynamodb: &FaultyDynamoDb, plan: &Plan) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("there is a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let injector = dynamodb.injector(plan);
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            let serving = Box::pin(accept(&listener, &injector, &mut connections));
            future::select(serving, stopped).await;
            connections.shutdown().await;
        });
        let table_name = dynamodb.table_name().to_owned();
        Self { endpoint_url: format!("http://{address}"), table_name, server, stop }
    }

    /// Returns the table, through a client with this configuration and its own HTTP client.
    #[must_use]
    pub fn table(&self, config: &SdkConfig) -> Table {
        let client: Client = aws::dynamodb(config, Some(self.endpoint_url.clone()));
        Table::new(client, &self.table_name)
    }

    /// The URL for the SDK.
    #[must_use]
    pub fn endpoint_url(&self) -> &str {
        &self.endpoint_url
    }

    /// Closes all connections. Requests that have not been read by then are never applied.
    ///
    /// # Panics
    ///
    /// If accepting a connection panicked.
    pub async fn stop(self) {
        drop(self.stop);
        self.server.await.expect("accepting does not panic");
    }
}

async fn accept(listener: &TcpListener, injector: &Injector, connections: &mut JoinSet<()>) {
    while let Ok((stream, _)) = listener.accept().await {
        let injector = injector.clone();
        connections.spawn(async move {
            // An error means that the client has gone away.
            let _ = serve(stream, &injector).await;
        });
    }
}

/// Answers the requests of a connection until the client or a fault ends it.
async fn serve(stream: TcpStream, injector: &Injector) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some((operation, body)) = read(&mut stream).await? {
        let (reply, is_whole) = match injector.serve(&operation, &body).await {
            Outcome::Answered(reply) => (reply, true),
            Outcome::BrokenOff(reply) => (reply, false),
            // Closing with zero linger resets the connection.
            Outcome::Reset => return stream.get_ref().set_zero_linger(),
        };
        let body = reply.body.to_string();
        let (status, length) = (reply.status, body.len());
        let head = format!(
            "HTTP/1.1 {status} \r\ncontent-type: application/x-amz-json-1.0\r\n\
             content-length: {length}\r\n\r\n"
        );
        let sent = if is_whole { body.as_bytes() } else { &body.as_bytes()[..length / 2] };
        // In one write: after a small write, the next one waits for the client's acknowledgement.
        stream.write_all(&[head.as_bytes(), sent].concat()).await?;
        stream.flush().await?;
        if !is_whole {
            return Ok(());
        }
    }
    Ok(())
}

/// Reads the next request: its operation and its body, whose length the SDK always sends.
async fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut operation = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        if line == "\r\n" {
            break;
        }
        // The request line never parses as one of these headers.
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => {
                let name = value.trim().rsplit('.').next();
                operation = name.unwrap_or_default().to_owned();
            }
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some((operation, body)))
}
