//! The log line and the metrics of each invocation of a function, whatever invokes it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt as _;
use http::Method;
use lambda_http::Context;
use storefront_core::UserId;
use storefront_core::capacity::{self, Consumed};
use tracing::{Instrument as _, Level, error, error_span, field, info, warn};

use crate::Metrics;
use crate::afterwards::afterwards;

/// The part of an invocation's time that is reserved for the response. If the invocation timed out,
/// everything that it did would count as failed.
const TIME_TO_ANSWER: Duration = Duration::from_millis(500);

/// Returns until when an invocation may work; `None` for a context made by hand, which has no deadline.
#[must_use]
pub fn deadline(context: &Context) -> Option<tokio::time::Instant> {
    if context.deadline == 0 {
        return None;
    }
    let left = context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    Some(tokio::time::Instant::now() + left.saturating_sub(TIME_TO_ANSWER))
}

/// The telemetry of one function: each invocation becomes one log line, and its counts become
/// metrics.
#[derive(Debug)]
pub struct Telemetry {
    function: &'static str,
    is_cold: AtomicBool,
}

/// The ids by which an invocation can be found.
#[derive(Clone, Debug, Default)]
pub struct InvocationIds {
    /// API Gateway's id of the request, which is also in its access log; without one, Lambda's.
    pub request_id: Option<String>,
    /// Lambda's id, if it is a different one: Lambda's own lines (START, REPORT, timeouts) name
    /// only this one.
    pub lambda_request_id: Option<String>,
    /// X-Ray's id of the trace.
    pub trace_id: Option<String>,
}

/// The fields of an invocation's log line. Those that do not apply to a function are absent from
/// its lines; the names are the same in all functions.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Served {
    pub level: Level,
    pub method: Option<Method>,
    /// The route's pattern, not the path: paths contain ids, which make every line different.
    pub route: Option<String>,
    pub status: Option<u16>,
    pub user_id: Option<UserId>,
    /// The outcome, if it is not an HTTP status.
    pub outcome: Option<&'static str>,
    /// The reason for an outcome that is not a success.
    pub reason: Option<&'static str>,
    pub records: Option<usize>,
    pub changes: Option<usize>,
    pub delivered: Option<usize>,
    /// Records that cannot be delivered and are kept for an operator, if there were any.
    pub put_aside: Option<usize>,
    /// The requests whose changes were delivered, separated by spaces.
    pub request_ids: Option<String>,
    /// The internal failure, with its chain of sources.
    pub cause: Option<String>,
}

impl Telemetry {
    /// Telemetry for the function of this name.
    #[must_use]
    pub fn new(function: &'static str) -> Self {
        Self { function, is_cold: AtomicBool::new(true) }
    }

    /// Serves an invocation, and writes its log line and metrics after the response has been sent,
    /// even if it panics. The panic continues.
    pub async fn observe<T>(
        &self,
        ids: &InvocationIds,
        metrics: &Metrics,
        serving: impl Future<Output = (T, Served)>,
    ) -> T {
        let started_at = Instant::now();
        let is_cold_start = self.is_cold.swap(false, Ordering::Relaxed);
        let request_id = ids.request_id.as_deref();
        // These fields are on every line of the invocation.
        let span = error_span!(
            "request",
            function = self.function,
            request_id,
            lambda_request_id = ids.lambda_request_id.as_deref(),
            trace_id = ids.trace_id.as_deref(),
        );
        let serving = AssertUnwindSafe(serving).catch_unwind();
        let (outcome, consumed) = capacity::measure(serving).instrument(span.clone()).await;
        let (answer, served) = match outcome {
            Ok((answer, served)) => (Ok(answer), served),
            Err(panic) => {
                let served = Served::panicked(&*panic);
                (Err(panic), served)
            }
        };
        let (function, latency) = (self.function, started_at.elapsed());
        let (metrics, request_id) = (metrics.clone(), ids.request_id.clone());
        afterwards(move || {
            let _entered = span.enter();
            served.log(latency, is_cold_start, consumed);
            if is_cold_start {
                metrics.cold_start(function);
            }
            if let (Some(method), Some(route)) = (&served.method, &served.route) {
                metrics.consumed(&format!("{method} {route}"), consumed);
            }
            metrics.write(function, request_id.as_deref());
        });
        answer.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl InvocationIds {
    /// The ids of an invocation. `from_gateway` is API Gateway's id, if the invocation came from
    /// there.
    #[must_use]
    pub fn new(context: &Context, from_gateway: Option<&str>) -> Self {
        let lambda = &context.request_id;
        Self {
            request_id: Some(from_gateway.unwrap_or(lambda).to_owned()),
            lambda_request_id: from_gateway.filter(|id| id != lambda).map(|_| lambda.clone()),
            trace_id: context.xray_trace_id.as_deref().and_then(root).map(str::to_owned),
        }
    }
}

/// Returns the trace in a tracing header, such as
/// `Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1`.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
fn root(tracing_header: &str) -> Option<&str> {
    tracing_header.split(';').find_map(|field| field.trim().strip_prefix("Root="))
}

impl Default for Served {
    fn default() -> Self {
        Self {
            level: Level::INFO,
            method: None,
            route: None,
            status: None,
            user_id: None,
            outcome: None,
            reason: None,
            records: None,
            changes: None,
            delivered: None,
            put_aside: None,
            request_ids: None,
            cause: None,
        }
    }
}

impl Served {
    fn panicked(panic: &(dyn Any + Send)) -> Self {
        Self {
            level: Level::ERROR,
            outcome: Some("failed"),
            cause: Some(panic_message(panic)),
            ..Self::default()
        }
    }

    fn log(&self, latency: Duration, is_cold_start: bool, consumed: Consumed) {
        /// Writes the same line at any level, which `tracing` must know at compile time.
        macro_rules! log {
            ($level:ident) => {
                $level!(
                    method = self.method.as_ref().map(Method::as_str),
                    route = self.route,
                    status = self.status,
                    outcome = self.outcome,
                    reason = self.reason,
                    latency_ms = milliseconds(latency),
                    cold_start = is_cold_start,
                    user_id = self.user_id.map(field::display),
                    records = self.records,
                    changes = self.changes,
                    delivered = self.delivered,
                    put_aside = self.put_aside,
                    request_ids = self.request_ids,
                    requests = consumed.requests,
                    read_units = consumed.read_units,
                    write_units = consumed.write_units,
                    cause = self.cause,
                    "request served"
                )
            };
        }
        match self.level {
            Level::ERROR => log!(error),
            Level::WARN => log!(warn),
            _ => log!(info),
        }
    }
}

/// Converts to milliseconds, rounded to the microsecond: finer digits mean nothing.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

/// Returns the message of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    format!("panicked: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trace_is_found_in_any_tracing_header() {
        for (header, trace) in [
            (
                "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:0",
                Some("1-5759e988-bd862e3fe1be46a994272793"),
            ),
            (
                "Self=1-x;Root=1-5759e988-bd862e3fe1be46a994272793",
                Some("1-5759e988-bd862e3fe1be46a994272793"),
            ),
            ("Sampled=0", None),
            ("", None),
        ] {
            assert_eq!(root(header), trace, "{header:?}");
        }
    }
}
