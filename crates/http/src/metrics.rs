//! Metrics of CloudWatch, written as lines of its embedded metric format.
//!
//! Handlers take [`Metrics`] as an extractor and say what happened; the invocation's telemetry adds
//! what it consumed, and writes all of it when the answer has been sent. What only one function counts is
//! defined in that function; what all count, here. Nothing that clients choose freely is ever a dimension,
//! because CloudWatch bills each value of one as a metric of its own.

mod sink;

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use http::request::Parts;
use storefront_core::capacity::Consumed;

pub use sink::MetricSink;

/// A metric: its name, and the name of the one dimension that it has at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    name: &'static str,
    dimension: Option<&'static str>,
    is_count: bool,
}

/// What every function counts.
pub const METRICS: &[Metric] = &[COLD_STARTS, CONSUMED_READ_UNITS, CONSUMED_WRITE_UNITS];

/// Invocations that an environment was started for.
const COLD_STARTS: Metric = Metric::count("ColdStarts").by("Function");
/// Read capacity units that requests of a route consumed.
const CONSUMED_READ_UNITS: Metric = Metric::count("ConsumedReadUnits").by("Route");
/// Write capacity units that requests of a route consumed.
const CONSUMED_WRITE_UNITS: Metric = Metric::count("ConsumedWriteUnits").by("Route");

/// What is counted during one invocation. Clones count together.
#[derive(Clone, Default)]
pub struct Metrics {
    sink: MetricSink,
    counted: Arc<Mutex<Vec<Counted>>>,
}

/// A metric, the value of its dimension, and what it has come to.
struct Counted {
    metric: Metric,
    of: Option<Cow<'static, str>>,
    total: f64,
}

impl Metric {
    /// A number of things.
    #[must_use]
    pub const fn count(name: &'static str) -> Self {
        Self { name, dimension: None, is_count: true }
    }

    /// An amount of money.
    #[must_use]
    pub const fn amount(name: &'static str) -> Self {
        Self { name, dimension: None, is_count: false }
    }

    /// The same by a dimension of this name.
    #[must_use]
    pub const fn by(self, dimension: &'static str) -> Self {
        Self { dimension: Some(dimension), ..self }
    }

    /// What CloudWatch knows it by.
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
    /// Counts for this sink.
    #[must_use]
    pub fn new(sink: MetricSink) -> Self {
        Self { sink, counted: Arc::default() }
    }

    /// Adds to a metric without a dimension.
    pub fn add(&self, metric: Metric, value: f64) {
        self.add_to(metric, None, value);
    }

    /// Adds to a metric of one value of its dimension.
    pub fn add_of(&self, metric: Metric, of: impl Into<Cow<'static, str>>, value: f64) {
        self.add_to(metric, Some(of.into()), value);
    }

    pub(crate) fn cold_start(&self, function: &'static str) {
        self.add_of(COLD_STARTS, function, 1.0);
    }

    /// What requests of a route, such as `GET /users/{userId}`, consumed. A route that writes
    /// nothing gets no metric of zeros, which would cost as much as any.
    pub(crate) fn consumed(&self, route: &str, consumed: Consumed) {
        if consumed.read_units > 0.0 {
            self.add_of(CONSUMED_READ_UNITS, route.to_owned(), consumed.read_units);
        }
        if consumed.write_units > 0.0 {
            self.add_of(CONSUMED_WRITE_UNITS, route.to_owned(), consumed.write_units);
        }
    }

    /// Writes what was counted, with the ids that lead from a line to its invocation.
    pub(crate) fn write(&self, function: &str, request_id: Option<&str>) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        self.sink.write(function, request_id, &std::mem::take(&mut *counted));
    }

    fn add_to(&self, metric: Metric, of: Option<Cow<'static, str>>, value: f64) {
        debug_assert_eq!(
            metric.dimension.is_some(),
            of.is_some(),
            "{} has another dimension",
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

/// Those of this invocation; outside of [`crate::service`], some that nobody reads.
impl<S: Send + Sync> FromRequestParts<S> for Metrics {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
