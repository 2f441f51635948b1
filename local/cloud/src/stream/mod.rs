//! The local cloud's event source mappings: each delivers the table's stream to its consumer, with
//! the template's filter, batch size, retries, bisection and on-failure destination.
//!
//! Each has one worker, while Lambda has one per shard and `ParallelizationFactor`. A worker
//! delivers records in the order of the stream, so the order per item is the same as on Lambda. It
//! shares nothing with other workers: a consumer whose records are retried does not hold up another.

mod checkpoint;
mod delivery;
mod failed_records;
mod record;
mod source;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::Duration;

use dynoxide::Database;
use jiff::Timestamp;
use storefront_template::StreamMapping;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use crate::Error;
use crate::function::Function;
pub(crate) use checkpoint::write_durably;
pub(crate) use failed_records::FAILED_RECORDS;

use checkpoint::Checkpoint;
use delivery::Delivery;
use failed_records::{Destination, FailedRecords};
use record::Record;
use source::{EmbeddedShard, Filter, Source};

/// The consumer that there was before there could be several. Its checkpoint keeps its name without
/// the function's: otherwise, the consumer of an existing data folder would start over.
const FIRST_CONSUMER: &str = "OrderStatusStreamFunction";

/// How often the trigger polls and retries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The pause between polls if the stream had no new records.
    pub(crate) poll: Duration,
    /// The pause before the first retry. It doubles with each retry.
    pub(crate) first_backoff: Duration,
    /// The longest pause before a retry.
    pub(crate) longest_backoff: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(100),
            first_backoff: Duration::from_millis(200),
            longest_backoff: Duration::from_secs(10),
        }
    }
}

/// Delivers the records of a table's stream to a function until it is shut down.
pub(crate) struct StreamTrigger {
    stop: watch::Sender<bool>,
    worker: JoinHandle<()>,
}

impl StreamTrigger {
    /// Starts where the last run ended, or after the record with the number `after`; without it at the
    /// oldest record of the stream.
    ///
    /// `data_dir` keeps the checkpoint and, if the mapping has an on-failure destination, the
    /// failed records, both apart from those of other consumers. Without it, both are lost when the
    /// process ends.
    pub(crate) fn start(
        mapping: StreamMapping,
        function: Function,
        database: Database,
        table_name: &str,
        after: Option<String>,
        data_dir: Option<&Path>,
        pace: Pace,
    ) -> Result<Self, Error> {
        let shard = EmbeddedShard::of(database, table_name)?;
        let mut source = Source::new(shard, Filter::new(&mapping.filters)?);
        if let Some(after) = after {
            source.start_after(after);
        }
        Self::deliver(source, mapping, function, data_dir, pace)
    }

    fn deliver(
        mut source: Source,
        mapping: StreamMapping,
        function: Function,
        data_dir: Option<&Path>,
        pace: Pace,
    ) -> Result<Self, Error> {
        let checkpoint = data_dir.map(|folder| folder.join(checkpoint_file(&mapping.function)));
        let checkpoint = Checkpoint::open(checkpoint, source.stream_arn())?;
        if let Some(sequence_number) = checkpoint.sequence_number() {
            source.start_after(sequence_number.to_owned());
        }
        let destination = match (&mapping.failure_bucket, data_dir) {
            (None, _) => Destination::Nowhere,
            (Some(_), None) => Destination::Log,
            // Lambda's keys also begin with the mapping, so consumers may share a bucket.
            (Some(_), Some(data_dir)) => {
                Destination::Folder(data_dir.join(FAILED_RECORDS).join(&mapping.function))
            }
        };
        let failed_records = FailedRecords::new(
            destination,
            &mapping.function,
            source.stream_arn(),
            source.shard_id(),
        );
        let (stop, stopped) = watch::channel(false);
        // Enabled whenever a line within it is, so that every line names the consumer.
        let span = tracing::error_span!("stream", consumer = mapping.function);
        let now = Box::new(Timestamp::now);
        let delivery =
            Delivery { mapping, function, failed_records, checkpoint, pace, now, stopped };
        let worker = tokio::spawn(Worker { source, delivery }.run().instrument(span));
        Ok(Self { stop, worker })
    }

    /// Stops after the invocation in flight.
    pub(crate) async fn shutdown(self) {
        self.stop.send_replace(true);
        if let Err(panic) = self.worker.await {
            tracing::error!("stream: {panic}");
        }
    }
}

/// Returns the number of the last record in a table's stream, if it has any.
pub(crate) fn last_record(database: Database, table_name: &str) -> Result<Option<String>, Error> {
    let mut source = Source::new(EmbeddedShard::of(database, table_name)?, Filter::new(&[])?);
    while !source.read()?.is_empty() {}
    Ok(source.position().map(str::to_owned))
}

fn checkpoint_file(function: &str) -> String {
    if function == FIRST_CONSUMER {
        "stream-checkpoint.json".to_owned()
    } else {
        format!("stream-checkpoint-{function}.json")
    }
}

struct Worker {
    source: Source,
    delivery: Delivery,
}

impl Worker {
    async fn run(mut self) {
        if let Some(position) = self.source.position() {
            self.delivery.acknowledge(position).await;
        }
        while !self.delivery.is_stopped() {
            self.turn().await;
        }
    }

    /// Runs a round, and pauses if there was nothing to do or it failed.
    async fn turn(&mut self) {
        match self.round().await {
            Ok(true) => {}
            Ok(false) => self.delivery.pause(self.delivery.pace.poll).await,
            Err(error) => {
                tracing::error!("{error}");
                self.delivery.pause(self.delivery.pace.longest_backoff).await;
            }
        }
    }

    /// Reads and delivers records. Returns whether there were any.
    async fn round(&mut self) -> Result<bool, Error> {
        let before = self.source.position().map(str::to_owned);
        let records = self.gather().await?;
        for batch in records.chunks(self.delivery.mapping.batch_size) {
            if !self.delivery.deliver(batch).await {
                // Stopped before the end. The next run starts at the checkpoint.
                return Ok(false);
            }
        }
        match self.source.position() {
            Some(position) if self.source.position() != before.as_deref() => {
                self.delivery.acknowledge(position).await;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Reads matching records, waiting for more during the batching window.
    async fn gather(&mut self) -> Result<Vec<Record>, Error> {
        let mut records = self.source.read()?;
        let until = Instant::now() + self.delivery.mapping.batching_window;
        while !records.is_empty()
            && records.len() < self.delivery.mapping.batch_size
            && Instant::now() < until
            && !self.delivery.is_stopped()
        {
            sleep(self.delivery.pace.poll).await;
            match self.source.read() {
                Ok(more) => records.extend(more),
                // Deliver what has been read, because it is not read again. The next read starts at
                // what failed.
                Err(error) => {
                    tracing::error!("{error}");
                    break;
                }
            }
        }
        Ok(records)
    }
}
