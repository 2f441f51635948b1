//! CloudWatch metrics, written as lines in the embedded metric format.
//!
//! Handlers take [`Metrics`] as an extractor and count what happened. The invocation's telemetry
//! adds the consumed capacity, and writes everything after the response has been sent. A metric
//! that only one function counts is defined in that function; those of all functions are defined
//! here. A value that clients choose freely is never a dimension, because CloudWatch bills each
//! value as a separate metric.

mod sink;

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use http::request::Parts;
use storefront_core::capacity::Consumed;

pub use sink::MetricSink;

/// A metric: its name, and the name of its only dimension, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    dimension: Option<&'static str>,
    is_count: bool,
}

/// The metrics of every function.
pub const METRICS: &[Metric] =
    &[COLD_STARTS, CONSUMED_READ_UNITS, CONSUMED_WRITE_UNITS, UNREADABLE_ITEMS];

/// Invocations for which an environment was started.
const COLD_STARTS: Metric = Metric::count("ColdStarts").by("Function");
/// Read capacity units consumed by requests of a route.
const CONSUMED_READ_UNITS: Metric = Metric::count("ConsumedReadUnits").by("Route");
/// Write capacity units consumed by requests of a route.
const CONSUMED_WRITE_UNITS: Metric = Metric::count("ConsumedWriteUnits").by("Route");
/// Items that were left out of a list because they cannot be read. Nobody sees them until they are
/// mended, so an alarm watches it.
const UNREADABLE_ITEMS: Metric = Metric::count("UnreadableItems");

/// The counts of one invocation. Clones share them.
#[derive(Clone, Default)]
pub struct Metrics {
    sink: MetricSink,
    counted: Arc<Mutex<Vec<Counted>>>,
}

/// A metric, the value of its dimension, and its total.
struct Counted {
    metric: Metric,
    of: Option<Cow<'static, str>>,
    total: f64,
}

impl Metric {
    /// A metric that counts.
    #[must_use]
    pub const fn count(name: &'static str) -> Self {
        Self { name, dimension: None, is_count: true }
    }

    /// A metric that sums up amounts of money.
    #[must_use]
    pub const fn amount(name: &'static str) -> Self {
        Self { name, dimension: None, is_count: false }
    }

    /// Adds a dimension with this name.
    #[must_use]
    pub const fn by(self, dimension: &'static str) -> Self {
        Self { dimension: Some(dimension), ..self }
    }

    /// The metric's name in CloudWatch.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The name of its dimension, if it has one.
    #[must_use]
    pub const fn dimension(&self) -> Option<&'static str> {
        self.dimension
    }
}

impl Metrics {
    /// Metrics that are written to this sink.
    #[must_use]
    pub fn new(sink: MetricSink) -> Self {
        Self { sink, counted: Arc::default() }
    }

    /// Adds to a metric without a dimension.
    pub fn add(&self, metric: Metric, value: f64) {
        self.add_to(metric, None, value);
    }

    /// Adds to a metric, for one value of its dimension.
    pub fn add_of(&self, metric: Metric, of: impl Into<Cow<'static, str>>, value: f64) {
        self.add_to(metric, Some(of.into()), value);
    }

    pub(crate) fn cold_start(&self, function: &'static str) {
        self.add_of(COLD_STARTS, function, 1.0);
    }

    /// Counts what a request of a route, such as `GET /users/{userId}`, consumed. Zeros are left
    /// out, because a metric of zeros costs as much as any other.
    pub(crate) fn consumed(&self, route: &str, consumed: Consumed) {
        if consumed.read_units > 0.0 {
            self.add_of(CONSUMED_READ_UNITS, route.to_owned(), consumed.read_units);
        }
        if consumed.write_units > 0.0 {
            self.add_of(CONSUMED_WRITE_UNITS, route.to_owned(), consumed.write_units);
        }
    }

    /// Counts items that could not be read and were passed over, if there were any.
    pub fn unreadable(&self, items: usize) {
        if items > 0 {
            #[allow(clippy::cast_precision_loss, reason = "at most a page of items")]
            self.add(UNREADABLE_ITEMS, items as f64);
        }
    }

    /// Writes the counts, with the function and the request id, which identify the invocation. Its telemetry
    /// does that at its end; a count that must survive if Lambda ends the function before is written at once.
    pub fn write(&self, function: &str, request_id: Option<&str>) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        self.sink.write(function, request_id, &std::mem::take(&mut *counted));
    }

    fn add_to(&self, metric: Metric, of: Option<Cow<'static, str>>, value: f64) {
        debug_assert_eq!(
            metric.dimension.is_some(),
            of.is_some(),
            "{}: a value is needed exactly if there is a dimension",
            metric.name
        );
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        match counted.iter_mut().find(|known| known.metric == metric && known.of == of) {
            Some(known) => known.total += value,
            None => counted.push(Counted { metric, of, total: value }),
        }
    }
}

impl Counted {
    /// The dimension's name and value.
    fn dimension(&self) -> Option<(&'static str, &str)> {
        self.metric.dimension.zip(self.of.as_deref())
    }
}

/// The metrics of this invocation; outside [`crate::service`], metrics that are never written.
impl<S: Send + Sync> FromRequestParts<S> for Metrics {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
