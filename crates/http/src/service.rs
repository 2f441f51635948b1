//! What every route of every function gets: one log line, a request id, problems for what no route
//! answers.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::{Extensions, HeaderName, HeaderValue, Method};
use lambda_http::request::RequestContext;
use storefront_core::UserId;
use storefront_core::capacity::{self, Consumed};
use tracing::{Instrument as _, error, error_span, field, info, warn};

use crate::problem::Cause;
use crate::{Caller, MAX_BODY_BYTES, Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes of the function of this name with all that requests to it have in common:
///
/// - one log line per request, with the cause when it failed here (5xx);
/// - `x-request-id` on every response;
/// - problems for unknown paths (404), wrong methods (405) and panics (500);
/// - the limit of [`MAX_BODY_BYTES`].
pub fn service(function: &'static str, routes: Router) -> Router {
    routes
        .fallback(async || Problem::route_not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(move |request, next| observe(function, request, next)))
}

/// What the log says of a request, known before it is served.
struct Observed {
    method: Method,
    /// The route's pattern, not the path: paths hold ids, and make every line different.
    route: Option<MatchedPath>,
    user_id: Option<UserId>,
    is_cold_start: bool,
    started_at: Instant,
}

async fn observe(function: &'static str, request: Request, next: Next) -> Response {
    let observed = Observed {
        method: request.method().clone(),
        route: request.extensions().get().cloned(),
        user_id: Caller::from_extensions(request.extensions()).map(|caller| caller.user_id),
        is_cold_start: is_first_request(),
        started_at: Instant::now(),
    };
    let id = request_id(request.extensions());
    let span = error_span!("request", function, request_id = id.as_deref());
    async move {
        let serving = AssertUnwindSafe(next.run(request)).catch_unwind();
        let (outcome, consumed) = capacity::measure(serving).await;
        let mut response = outcome.unwrap_or_else(|panic| answer_panic(&*panic));
        observed.log(&response, consumed);
        if let Some(id) = id.and_then(|id| HeaderValue::try_from(id).ok()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

impl Observed {
    fn log(&self, response: &Response, consumed: Consumed) {
        let status = response.status();
        let cause = response.extensions().get::<Cause>();
        /// The same line at different levels, which `tracing` wants to know at compile time.
        macro_rules! log {
            ($level:ident) => {
                $level!(
                    method = %self.method,
                    route = self.route.as_ref().map(MatchedPath::as_str),
                    status = status.as_u16(),
                    latency_ms = milliseconds(self.started_at.elapsed()),
                    user_id = self.user_id.map(field::display),
                    requests = consumed.requests,
                    read_units = consumed.read_units,
                    write_units = consumed.write_units,
                    cold_start = self.is_cold_start,
                    cause = cause.map(field::display),
                    "request served"
                )
            };
        }
        match status.as_u16() {
            500 => log!(error),
            501.. => log!(warn),
            _ => log!(info),
        }
    }
}

/// API Gateway's id of the request, which is in its access log too; else Lambda's.
fn request_id(extensions: &Extensions) -> Option<String> {
    let from_gateway = match extensions.get() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    from_gateway.or_else(|| {
        let context: &lambda_http::Context = extensions.get()?;
        Some(context.request_id.clone())
    })
}

/// Whether this process has served no request before.
fn is_first_request() -> bool {
    static FIRST: AtomicBool = AtomicBool::new(true);
    FIRST.swap(false, Ordering::Relaxed)
}

/// To the microsecond, which is as fine as it means anything.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

fn answer_panic(panic: &(dyn Any + Send)) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Problem::internal(format!("panicked: {message}")).into_response()
}
