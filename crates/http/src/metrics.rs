//! What the suite counts: metrics of CloudWatch, written as lines of its embedded metric format.
//!
//! Handlers take [`Metrics`] as an extractor and say what happened; the invocation's telemetry adds
//! what it consumed, and writes all of it when the answer has been sent. Every metric is listed here,
//! with the one dimension it has at most: nothing that clients choose freely is ever a dimension,
//! because CloudWatch bills each value of one as a metric of its own.

mod sink;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use http::request::Parts;
use storefront_core::capacity::Consumed;
use storefront_core::{Currency, Order, OrderStatus};

pub use sink::MetricSink;

/// What is counted during one invocation. Clones count together.
#[derive(Clone, Default)]
pub struct Metrics {
    sink: MetricSink,
    counted: Arc<Mutex<Vec<(Metric, f64)>>>,
}

/// What can be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Metric {
    /// Of the function of this name: invocations that an environment was started for.
    ColdStarts(&'static str),
    /// Read capacity units that requests of this route consumed.
    ConsumedReadUnits(String),
    /// Write capacity units that requests of this route consumed.
    ConsumedWriteUnits(String),
    /// Log-ins with an unknown email or a wrong password.
    LogInsFailed,
    /// Orders that were placed.
    OrdersPlaced,
    /// What they cost, in the currency's minor unit.
    OrderValue(Currency),
    /// Changes to this status that the event bus took.
    StatusChangesPublished(OrderStatus),
}

impl Metrics {
    /// Counts for this sink.
    #[must_use]
    pub fn new(sink: MetricSink) -> Self {
        Self { sink, counted: Arc::default() }
    }

    /// An order was placed, rather than shown again for its idempotency key.
    pub fn order_placed(&self, order: &Order) {
        self.add(Metric::OrdersPlaced, 1.0);
        #[allow(clippy::cast_precision_loss, reason = "CloudWatch keeps doubles too")]
        self.add(Metric::OrderValue(order.currency), order.total as f64);
    }

    /// An unknown email or a wrong password. Attempts that are turned away unseen after too many of
    /// these are none: that they are told apart is the point of turning them away.
    pub fn log_in_failed(&self) {
        self.add(Metric::LogInsFailed, 1.0);
    }

    /// The event bus took the change of an order to this status.
    pub fn status_change_published(&self, to: OrderStatus) {
        self.add(Metric::StatusChangesPublished(to), 1.0);
    }

    pub(crate) fn cold_start(&self, function: &'static str) {
        self.add(Metric::ColdStarts(function), 1.0);
    }

    /// What requests of a route, such as `GET /users/{userId}`, consumed. A route that writes
    /// nothing gets no metric of zeros, which would cost as much as any.
    pub(crate) fn consumed(&self, route: &str, consumed: Consumed) {
        if consumed.read_units > 0.0 {
            self.add(Metric::ConsumedReadUnits(route.to_owned()), consumed.read_units);
        }
        if consumed.write_units > 0.0 {
            self.add(Metric::ConsumedWriteUnits(route.to_owned()), consumed.write_units);
        }
    }

    /// Writes what was counted, with the ids that lead from a line to its invocation.
    pub(crate) fn write(&self, function: &str, request_id: Option<&str>) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        self.sink.write(function, request_id, &std::mem::take(&mut *counted));
    }

    fn add(&self, metric: Metric, value: f64) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        match counted.iter_mut().find(|(known, _)| *known == metric) {
            Some((_, total)) => *total += value,
            None => counted.push((metric, value)),
        }
    }
}

impl Metric {
    fn name(&self) -> &'static str {
        match self {
            Self::ColdStarts(_) => "ColdStarts",
            Self::ConsumedReadUnits(_) => "ConsumedReadUnits",
            Self::ConsumedWriteUnits(_) => "ConsumedWriteUnits",
            Self::LogInsFailed => "LogInsFailed",
            Self::OrdersPlaced => "OrdersPlaced",
            Self::OrderValue(_) => "OrderValue",
            Self::StatusChangesPublished(_) => "StatusChangesPublished",
        }
    }

    /// The dimension's name and value.
    fn dimension(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::ColdStarts(function) => Some(("Function", function)),
            Self::ConsumedReadUnits(route) | Self::ConsumedWriteUnits(route) => {
                Some(("Route", route))
            }
            Self::LogInsFailed | Self::OrdersPlaced => None,
            Self::OrderValue(currency) => Some(("Currency", currency.code())),
            Self::StatusChangesPublished(status) => Some(("Status", status.as_str())),
        }
    }

    /// Whether it is a number of things, rather than of money.
    fn is_count(&self) -> bool {
        !matches!(self, Self::OrderValue(_))
    }
}

/// Those of this invocation; outside of [`crate::service`], some that nobody reads.
impl<S: Send + Sync> FromRequestParts<S> for Metrics {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
