//! The messages of all queues, in SQLite: in memory, or in the data folder, where they survive a
//! kill.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, named_params};
use serde_json::{Map, Value};
use storefront_template::Redrive;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::Error;
use crate::clock::Clock;

/// Times are in milliseconds since 1970.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        id TEXT NOT NULL,
        body TEXT NOT NULL,
        attributes TEXT NOT NULL,
        source TEXT,
        sent_at INTEGER NOT NULL,
        visible_at INTEGER NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0,
        receives_here INTEGER NOT NULL DEFAULT 0,
        first_received_at INTEGER,
        receipt TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS messages_by_queue ON messages (queue, visible_at);
";

/// The messages of all queues.
#[derive(Clone)]
pub(crate) struct Store {
    connection: Arc<Mutex<Connection>>,
    /// The file, unless it is in memory.
    path: Option<Arc<Path>>,
    clock: Clock,
    changed: watch::Sender<()>,
}

/// How messages of a queue are received.
#[derive(Debug, Clone)]
pub(crate) struct Inbox {
    pub(crate) queue: String,
    pub(crate) visibility_timeout: Duration,
    pub(crate) retention: Duration,
    pub(crate) redrive: Option<Redrive>,
}

/// A message that is sent to a queue.
#[derive(Debug)]
pub(crate) struct NewMessage {
    pub(crate) queue: String,
    pub(crate) body: String,
    /// Message attributes with their texts.
    pub(crate) attributes: Map<String, Value>,
    pub(crate) delay: Duration,
}

/// A message of a queue.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    number: i64,
    pub(crate) id: String,
    pub(crate) body: String,
    pub(crate) attributes: Map<String, Value>,
    /// The queue from which it was moved here, because nobody could process it.
    pub(crate) source: Option<String>,
    pub(crate) sent_at: Timestamp,
    pub(crate) visible_at: Timestamp,
    /// How often it has been received, over all queues.
    pub(crate) receives: u32,
    pub(crate) first_received_at: Option<Timestamp>,
    /// Identifies the last time that it was received, until it is given back.
    pub(crate) receipt: Option<String>,
}

/// Messages that were received, and when there may be more.
pub(crate) struct Received {
    pub(crate) messages: Vec<Message>,
    /// When the next hidden message becomes visible.
    pub(crate) next: Option<Timestamp>,
}

/// What becomes of received messages. All of it happens, or nothing.
#[derive(Default)]
pub(crate) struct Settlement {
    pub(crate) deleted: Vec<Message>,
    /// Given back, and hidden until a time.
    pub(crate) returned: Option<(Message, Timestamp)>,
    pub(crate) sent: Vec<NewMessage>,
}

/// How many messages a queue has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) waiting: u64,
    pub(crate) in_flight: u64,
    pub(crate) delayed: u64,
}

impl Store {
    /// Opens the database in this file, or a new one in memory.
    pub(crate) fn open(path: Option<&Path>, clock: Clock) -> Result<Self, Error> {
        let open = || {
            let connection = match path {
                Some(path) => Connection::open(path)?,
                None => Connection::open_in_memory()?,
            };
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(SCHEMA)?;
            Ok(connection)
        };
        let connection = open().map_err(|error: rusqlite::Error| failure(path, error.into()))?;
        let connection = Arc::new(Mutex::new(connection));
        let path = path.map(Arc::from);
        Ok(Self { connection, path, clock, changed: watch::Sender::new(()) })
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// Notifies of each message that is sent, moved or given back.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Sends messages in their order, all or none. Once it returns, they survive a crash.
    pub(crate) async fn send(&self, messages: Vec<NewMessage>) -> Result<(), Error> {
        self.settle(Settlement { sent: messages, ..Settlement::default() }).await
    }

    /// Receives the oldest visible messages, and hides them. Messages that have been received too
    /// often go to the dead-letter queue instead.
    pub(crate) async fn receive(&self, inbox: &Inbox, most: usize) -> Result<Received, Error> {
        let inbox = inbox.clone();
        let (received, has_moved) = self
            .transaction(move |transaction, now| {
                expire(transaction, &inbox, now)?;
                let has_moved = move_dead_letters(transaction, &inbox, now)?;
                let messages = take(transaction, &inbox, most, now)?;
                let next: Option<i64> = transaction.query_row(
                    "SELECT MIN(visible_at) FROM messages WHERE queue = :queue",
                    named_params! { ":queue": inbox.queue },
                    |row| row.get(0),
                )?;
                Ok((Received { messages, next: next.map(timestamp) }, has_moved))
            })
            .await?;
        if has_moved {
            self.changed.send_replace(());
        }
        Ok(received)
    }

    /// Settles received messages. One that somebody else has received meanwhile stays theirs.
    pub(crate) async fn settle(&self, settlement: Settlement) -> Result<(), Error> {
        let is_news = settlement.returned.is_some() || !settlement.sent.is_empty();
        self.transaction(move |transaction, now| {
            for message in &settlement.deleted {
                transaction.execute(
                    "DELETE FROM messages WHERE number = :number AND receipt IS :receipt",
                    named_params! { ":number": message.number, ":receipt": message.receipt },
                )?;
            }
            if let Some((message, visible_at)) = &settlement.returned {
                transaction.execute(
                    "UPDATE messages SET visible_at = :at, receipt = NULL
                     WHERE number = :number AND receipt IS :receipt",
                    named_params! {
                        ":at": visible_at.as_millisecond(),
                        ":number": message.number,
                        ":receipt": message.receipt,
                    },
                )?;
            }
            for message in &settlement.sent {
                insert(transaction, message, now)?;
            }
            Ok(())
        })
        .await?;
        if is_news {
            self.changed.send_replace(());
        }
        Ok(())
    }

    /// Makes messages visible that were being processed when the process ended.
    pub(crate) async fn release(&self, queue: &str) -> Result<(), Error> {
        let queue = queue.to_owned();
        self.transaction(move |transaction, now| {
            transaction.execute(
                "UPDATE messages SET visible_at = :now, receipt = NULL
                 WHERE queue = :queue AND receipt IS NOT NULL",
                named_params! { ":now": now, ":queue": queue },
            )
        })
        .await?;
        Ok(())
    }

    pub(crate) async fn counts(&self, inbox: &Inbox) -> Result<Counts, Error> {
        let inbox = inbox.clone();
        self.transaction(move |transaction, now| {
            expire(transaction, &inbox, now)?;
            transaction.query_row(
                "SELECT COUNT(*) FILTER (WHERE visible_at <= :now),
                        COUNT(*) FILTER (WHERE visible_at > :now AND receipt IS NOT NULL),
                        COUNT(*) FILTER (WHERE visible_at > :now AND receipt IS NULL)
                 FROM messages WHERE queue = :queue",
                named_params! { ":now": now, ":queue": inbox.queue },
                |row| {
                    Ok(Counts {
                        waiting: row.get(0)?,
                        in_flight: row.get(1)?,
                        delayed: row.get(2)?,
                    })
                },
            )
        })
        .await
    }

    /// Returns the newest messages, the newest first.
    pub(crate) async fn newest(&self, inbox: &Inbox, most: u32) -> Result<Vec<Message>, Error> {
        let inbox = inbox.clone();
        self.transaction(move |transaction, now| {
            expire(transaction, &inbox, now)?;
            let mut statement = transaction.prepare_cached(
                "SELECT * FROM messages WHERE queue = :queue ORDER BY number DESC LIMIT :most",
            )?;
            let parameters = named_params! { ":queue": inbox.queue, ":most": most };
            statement.query_map(parameters, message)?.collect()
        })
        .await
    }

    /// Does work in one transaction, off the executor, because a disk may take a second to confirm
    /// a write. The work gets the time.
    async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>, i64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let connection = Arc::clone(&self.connection);
        let now = self.clock.now().as_millisecond();
        let done = spawn_blocking(move || {
            // A panic drops the transaction, which rolls it back.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction()?;
            let output = work(&transaction, now)?;
            transaction.commit()?;
            Ok(output)
        });
        let path = self.path.as_deref();
        let output: rusqlite::Result<T> =
            done.await.map_err(|error| failure(path, error.into()))?;
        output.map_err(|error| failure(path, error.into()))
    }
}

fn failure(path: Option<&Path>, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Queues { path: path.map(Path::to_owned), source }
}

fn expire(transaction: &Transaction<'_>, inbox: &Inbox, now: i64) -> rusqlite::Result<()> {
    transaction.execute(
        "DELETE FROM messages WHERE queue = :queue AND sent_at <= :oldest",
        named_params! { ":queue": inbox.queue, ":oldest": now - milliseconds(inbox.retention) },
    )?;
    Ok(())
}

/// Returns whether there were any.
fn move_dead_letters(
    transaction: &Transaction<'_>,
    inbox: &Inbox,
    now: i64,
) -> rusqlite::Result<bool> {
    let Some(redrive) = &inbox.redrive else {
        return Ok(false);
    };
    let moved = transaction.execute(
        "UPDATE messages SET queue = :to, source = :queue, receives_here = 0, visible_at = :now,
                receipt = NULL
         WHERE queue = :queue AND visible_at <= :now AND receives_here >= :most",
        named_params! {
            ":to": redrive.dead_letter_queue,
            ":queue": inbox.queue,
            ":now": now,
            ":most": redrive.maximum_receives,
        },
    )?;
    if moved > 0 {
        let (queue, to) = (&inbox.queue, &redrive.dead_letter_queue);
        tracing::warn!("{moved} messages of {queue} were received too often; moved to {to}");
    }
    Ok(moved > 0)
}

fn take(
    transaction: &Transaction<'_>,
    inbox: &Inbox,
    most: usize,
    now: i64,
) -> rusqlite::Result<Vec<Message>> {
    let mut statement = transaction.prepare_cached(
        "SELECT * FROM messages WHERE queue = :queue AND visible_at <= :now
         ORDER BY number LIMIT :most",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let parameters = named_params! { ":queue": inbox.queue, ":now": now, ":most": most };
    let mut messages: Vec<Message> =
        statement.query_map(parameters, message)?.collect::<rusqlite::Result<_>>()?;
    let visible_at = now.saturating_add(milliseconds(inbox.visibility_timeout));
    for message in &mut messages {
        let receipt = Uuid::new_v4().to_string();
        transaction.execute(
            "UPDATE messages SET visible_at = :visible_at, receipt = :receipt,
                    receives = receives + 1, receives_here = receives_here + 1,
                    first_received_at = COALESCE(first_received_at, :now)
             WHERE number = :number",
            named_params! {
                ":visible_at": visible_at,
                ":receipt": receipt,
                ":now": now,
                ":number": message.number,
            },
        )?;
        message.receives += 1;
        message.receipt = Some(receipt);
        message.visible_at = timestamp(visible_at);
        message.first_received_at.get_or_insert(timestamp(now));
    }
    Ok(messages)
}

fn insert(transaction: &Transaction<'_>, message: &NewMessage, now: i64) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO messages (queue, id, body, attributes, sent_at, visible_at)
         VALUES (:queue, :id, :body, :attributes, :sent_at, :visible_at)",
        named_params! {
            ":queue": message.queue,
            ":id": Uuid::new_v4().to_string(),
            ":body": message.body,
            ":attributes": Value::Object(message.attributes.clone()).to_string(),
            ":sent_at": now,
            ":visible_at": now.saturating_add(milliseconds(message.delay)),
        },
    )?;
    Ok(())
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let attributes: String = row.get("attributes")?;
    Ok(Message {
        number: row.get("number")?,
        id: row.get("id")?,
        body: row.get("body")?,
        attributes: serde_json::from_str(&attributes).unwrap_or_default(),
        source: row.get("source")?,
        sent_at: timestamp(row.get("sent_at")?),
        visible_at: timestamp(row.get("visible_at")?),
        receives: row.get("receives")?,
        first_received_at: row.get::<_, Option<i64>>("first_received_at")?.map(timestamp),
        receipt: row.get("receipt")?,
    })
}

fn milliseconds(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}

fn timestamp(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::MAX)
}
