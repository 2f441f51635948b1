//! Scheduled function: cancels pending orders that were not paid in time, and puts their stock back.
//!
//! It reads the pending orders in the index `GSI2`, all shards at once, oldest first, and leaves out
//! those whose time is not up or that have none (those of version 0.1, migrated ones, and all if
//! `PendingOrderMinutes` is 0). [`Orders::expire`] then decides on each order itself, so a run that is
//! late, comes twice or overlaps another does no harm: an order is cancelled once, or paid.
//!
//! A run is bounded: it stops at [`MAX_ORDERS`], and some seconds before its time is up. What is left
//! is the next run's. An order that cannot be cancelled, for example because others keep changing the
//! stock it goes back to, is logged, does not count towards that number, and so does not keep the others
//! from expiring; the next run tries it again.

use std::ops::AddAssign;

use futures_util::future::join_all;
use lambda_runtime::LambdaEvent;
use serde::Serialize;
use serde::de::IgnoredAny;
use storefront_core::schema::WORKLIST_SHARDS;
use storefront_core::{Error as CoreError, Orders, OverdueOrder, Table, Timestamp};
use storefront_http::invocation::{InvocationIds, Served, Telemetry, deadline};
use storefront_http::logging::with_sources;
use storefront_http::{Metric, MetricSink, Metrics};
use tokio::time::Instant;
use tracing::Level;

/// The metrics of this function.
pub const METRICS: &[Metric] = &[ORDERS_EXPIRED, EXPIRY_DELAY];

/// Orders that were cancelled because they were not paid in time.
const ORDERS_EXPIRED: Metric = Metric::count("OrdersExpired");
/// How long the order that is overdue for the longest has been so, in seconds. 0 if none is.
const EXPIRY_DELAY: Metric = Metric::amount("ExpiryDelay");

/// The most orders that a run cancels: some ten seconds of work, so that a run ends well before the next
/// one begins.
pub const MAX_ORDERS: usize = 8000;

/// The function, which cancels overdue orders.
pub struct Expiry {
    orders: Orders,
    most: usize,
    telemetry: Telemetry,
    metrics: MetricSink,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// The number of orders that it cancelled.
    pub expired: usize,
    /// The number of orders that it could not cancel, or not read. The next run tries again.
    pub failed: usize,
    /// Whether it left orders to the next run, because of its bounds.
    pub more: bool,
    /// How long the order that is overdue for the longest has been so, in seconds.
    #[serde(skip)]
    delay: i64,
}

impl Expiry {
    /// Expires the orders of this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self {
            orders: Orders::new(table),
            most: MAX_ORDERS,
            telemetry: Telemetry::new("order-expiry"),
            metrics: MetricSink::default(),
        }
    }

    /// Makes the function write its metrics to this sink.
    #[must_use]
    pub fn with_metrics(self, metrics: MetricSink) -> Self {
        Self { metrics, ..self }
    }

    /// Makes a run stop after this many orders instead of [`MAX_ORDERS`].
    #[must_use]
    pub fn with_most(self, most: usize) -> Self {
        Self { most, ..self }
    }

    /// Cancels what is overdue, within the bounds of a run. What the event contains makes no
    /// difference.
    ///
    /// # Errors
    ///
    /// If a shard of the index cannot be read. The others are served first.
    pub async fn handle(
        &self,
        event: LambdaEvent<IgnoredAny>,
    ) -> Result<Run, lambda_runtime::Error> {
        let ids = InvocationIds::new(&event.context, None);
        let metrics = Metrics::new(self.metrics.clone());
        // Boxed, because the future contains the SDK's.
        let running = Box::pin(self.run(deadline(&event.context), &metrics));
        self.telemetry.observe(&ids, &metrics, running).await
    }

    async fn run(
        &self,
        deadline: Option<Instant>,
        metrics: &Metrics,
    ) -> (Result<Run, lambda_runtime::Error>, Served) {
        let now = Timestamp::now();
        let shards = (0..WORKLIST_SHARDS).map(|shard| self.expire_shard(shard, now, deadline));
        let mut run = Run::default();
        let mut failure = None;
        for (of_shard, outcome) in join_all(shards).await {
            run += of_shard;
            failure = failure.or(outcome.err());
        }
        #[allow(clippy::cast_precision_loss, reason = "CloudWatch stores doubles, too")]
        {
            metrics.add(ORDERS_EXPIRED, run.expired as f64);
            metrics.add(EXPIRY_DELAY, run.delay as f64);
        }
        let (outcome, level) = match (&failure, run) {
            (Some(_), _) => ("failed", Level::ERROR),
            (None, Run { failed: 0, more: false, .. }) => ("expired", Level::INFO),
            (None, _) => ("incomplete", Level::WARN),
        };
        let served = Served {
            level,
            outcome: Some(outcome),
            records: Some(run.expired + run.failed),
            changes: Some(run.expired),
            cause: failure.as_ref().map(|error| with_sources(error).to_string()),
            ..Served::default()
        };
        (failure.map_or(Ok(run), |error| Err(error.into())), served)
    }

    /// Cancels the overdue orders of one shard, one after the other.
    async fn expire_shard(
        &self,
        shard: u8,
        now: Timestamp,
        deadline: Option<Instant>,
    ) -> (Run, Result<(), CoreError>) {
        let most = self.most.div_ceil(WORKLIST_SHARDS.into());
        let mut run = Run::default();
        let mut after = None;
        loop {
            let is_late = |run: &Run| {
                run.expired >= most || deadline.is_some_and(|deadline| Instant::now() >= deadline)
            };
            if is_late(&run) {
                run.more = true;
                return (run, Ok(()));
            }
            let page = match self.orders.overdue(shard, now, after).await {
                Ok(page) => page,
                Err(error) => return (run, Err(error)),
            };
            run.failed += page.unreadable;
            for order in page.orders {
                if is_late(&run) {
                    run.more = true;
                    return (run, Ok(()));
                }
                self.expire(order, now, &mut run).await;
            }
            after = page.next;
            if after.is_none() {
                return (run, Ok(()));
            }
        }
    }

    async fn expire(&self, order: OverdueOrder, now: Timestamp, run: &mut Run) {
        match self.orders.expire(order.user_id, order.id, now).await {
            Ok(is_expired) => {
                run.expired += usize::from(is_expired);
                if !is_expired {
                    return;
                }
            }
            Err(error) => {
                run.failed += 1;
                tracing::warn!(
                    order.id = %order.id,
                    cause = %with_sources(&error),
                    "an order that was not paid in time could not be cancelled"
                );
            }
        }
        let overdue_for = (now.as_millis() - order.pay_by.as_millis()) / 1000;
        run.delay = run.delay.max(overdue_for);
    }
}

impl AddAssign for Run {
    fn add_assign(&mut self, other: Self) {
        self.expired += other.expired;
        self.failed += other.failed;
        self.more |= other.more;
        self.delay = self.delay.max(other.delay);
    }
}
