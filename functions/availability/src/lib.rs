//! DynamoDB Streams consumer: keeps products' `available` up to date with their stock.
//!
//! A record of a stock item only says whose stock has changed. What `available` becomes is read
//! from the table ([`Products::refresh_availability`]), so records may arrive late, twice or in any
//! order. A product is refreshed once for all of its records in a batch. The filter of the event
//! source mapping passes a record only if the stock item was inserted or removed, became empty or
//! stopped being empty, or is counted from now on or no longer. It passes no record of the product
//! itself, so a refresh does not cause another one.
//!
//! # Failures
//!
//! Unlike order-events, the function does not stop at a record that fails: no order is at
//! stake, and other products do not have to wait for one that cannot be refreshed. It names all
//! records that failed in a partial batch response. Lambda delivers the first of them and
//! everything after it again, for up to 23 hours. Refreshing some products twice does no harm.
//!
//! A product whose own items cannot be read cannot be refreshed by a retry either. It is logged and
//! counted (`UnreadableItems`), and its records are acknowledged, because the records of others wait
//! behind them. What corrects the items also has to refresh the product.
//!
//! The same holds for a record that cannot be read. It belongs to a product that nobody knows, so
//! there is nothing to refresh, and nothing to keep for later.

use std::collections::BTreeMap;

use futures_util::{StreamExt as _, stream};
use lambda_runtime::LambdaEvent;
use serde_json::value::RawValue;
use storefront_core::{Error as CoreError, ProductId, Products, Table, schema};
use storefront_events::{Keys, Reason, Unreadable};
use storefront_http::invocation::{InvocationIds, Served, Telemetry};
use storefront_http::logging::with_sources;
use storefront_http::stream::{BatchAnswer, deadline, failed};
use storefront_http::{MetricSink, Metrics};
use tokio::time::{Instant, timeout_at};

pub use storefront_http::stream::StreamBatch;

/// The number of products that are refreshed at once. Each takes three requests, one after the
/// other. A full batch of different products takes a fraction of a second, over few connections.
const AT_ONCE: usize = 10;

/// The function, which reads batches of stream records and refreshes the products that they are of.
pub struct Consumer {
    products: Products,
    telemetry: Telemetry,
    metrics: MetricSink,
}

/// Whether a product was refreshed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refreshed {
    Done,
    NotYet,
    /// Its items cannot be read.
    Never,
}

/// What a batch asks for.
#[derive(Default)]
struct Work {
    /// The sequence numbers of each product's records.
    products: BTreeMap<ProductId, Vec<String>>,
    /// The number of records that cannot be read.
    unreadable: usize,
}

impl Consumer {
    /// A consumer that refreshes the products of this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self {
            products: Products::new(table),
            telemetry: Telemetry::new("availability"),
            metrics: MetricSink::default(),
        }
    }

    /// Makes the consumer write its metrics to this sink.
    #[must_use]
    pub fn with_metrics(self, metrics: MetricSink) -> Self {
        Self { metrics, ..self }
    }

    /// Refreshes the products of a batch, and names the records of those that it could not refresh.
    pub async fn handle(&self, event: LambdaEvent<StreamBatch>) -> BatchAnswer {
        let ids = InvocationIds::new(&event.context, None);
        let metrics = Metrics::new(self.metrics.clone());
        // Boxed, because the future contains the SDK's.
        let refreshing = Box::pin(self.refresh_all(event, &metrics));
        self.telemetry.observe(&ids, &metrics, refreshing).await
    }

    async fn refresh_all(
        &self,
        event: LambdaEvent<StreamBatch>,
        metrics: &Metrics,
    ) -> (BatchAnswer, Served) {
        let deadline = deadline(&event.context);
        let records = event.payload.records;
        let work = Work::of(&records);
        let products = work.products.len();
        let refreshed: Vec<_> = stream::iter(work.products)
            .map(|(id, numbers)| async move { (self.refresh(id, deadline).await, numbers) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let count = |of| refreshed.iter().filter(|(refreshed, _)| *refreshed == of).count();
        let delivered = count(Refreshed::Done);
        metrics.unreadable(count(Refreshed::Never) + work.unreadable);
        let failures =
            refreshed.into_iter().filter(|(refreshed, _)| *refreshed == Refreshed::NotYet);
        let failures: Vec<_> = failures.flat_map(|(_, numbers)| numbers).collect();
        let outcome = if failures.is_empty() { "refreshed" } else { "incomplete" };
        let served = Served {
            outcome: Some(outcome),
            records: Some(records.len()),
            changes: Some(products),
            delivered: Some(delivered),
            ..Served::default()
        };
        (failed(failures), served)
    }

    /// Refreshes a product, before the deadline.
    async fn refresh(&self, id: ProductId, deadline: Option<Instant>) -> Refreshed {
        let refreshing = self.products.refresh_availability(id);
        let outcome = match deadline {
            None => Ok(refreshing.await),
            Some(deadline) => timeout_at(deadline, refreshing).await,
        };
        let cause = match outcome {
            Ok(Ok(())) => return Refreshed::Done,
            Ok(Err(CoreError::Item(cause))) => {
                tracing::error!(product.id = %id, cause, "a product cannot be read and was left as it is");
                return Refreshed::Never;
            }
            Ok(Err(error)) => with_sources(&error).to_string(),
            Err(_) => "the invocation's time is nearly up".to_owned(),
        };
        tracing::warn!(product.id = %id, cause, "a product's availability was not refreshed");
        Refreshed::NotYet
    }
}

impl Work {
    fn of(records: &[Box<RawValue>]) -> Self {
        let mut work = Self::default();
        for record in records {
            match product_of(record) {
                Ok(Some((id, number))) => work.products.entry(id).or_default().push(number),
                Ok(None) => {}
                Err(unreadable) => {
                    unreadable.log();
                    work.unreadable += 1;
                }
            }
        }
        work
    }
}

/// Returns the product whose stock has changed, and the record's sequence number; `None` for a
/// record of something else.
fn product_of(record: &RawValue) -> Result<Option<(ProductId, String)>, Unreadable> {
    let keys = Keys::read(record)?;
    if !schema::is_stock(&keys.sort_key) {
        return Ok(None);
    }
    match schema::product_of_stock(&keys.partition_key) {
        Some(id) => Ok(Some((id, keys.sequence_number))),
        None => Err(keys.unreadable(Reason::Keys)),
    }
}
