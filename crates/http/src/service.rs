//! What every route of every function gets: one log line, a request id, metrics, and problems for
//! requests that no route answers.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use futures_util::FutureExt as _;
use http::{Extensions, HeaderName, HeaderValue, StatusCode};
use lambda_http::Context;
use lambda_http::request::RequestContext;
use tokio::time::timeout;
use tracing::Level;

use crate::event::Refused;
use crate::invocation::{InvocationIds, Served, Telemetry, panic_message};
use crate::problem::Cause;
use crate::route::as_routed;
use crate::{Caller, MAX_BODY_BYTES, MetricSink, Metrics, Problem};

/// How long a request may take. It is a second less than the functions' timeout, because when
/// Lambda kills a timed-out function, API Gateway answers 503 without `Retry-After`.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(9);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Adds to a function's routes what all its requests have in common:
///
/// - one log line per request, with the cause of an internal failure (5xx);
/// - `x-request-id` on every response;
/// - metrics of what a request consumed and counted, for the [`MetricSink`] of [`with_metrics`];
/// - problems for unknown paths and those that the gateway routed differently (404), wrong methods
///   (405), panics (500), timeouts (503), and events that are not valid HTTP requests (400, see
///   [`crate::answer`]);
/// - the limit of [`MAX_BODY_BYTES`].
pub fn service(function: &'static str, routes: Router) -> Router {
    let telemetry = Arc::new(Telemetry::new(function));
    // axum panics if there is no route to apply the layer to.
    let routes = if routes.has_routes() {
        routes.route_layer(middleware::from_fn(as_routed))
    } else {
        routes
    };
    routes
        .fallback(async || Problem::route_not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn_with_state(telemetry, observe))
}

/// Makes a [`service`] write its metrics; without this it does not.
pub fn with_metrics(service: Router, sink: MetricSink) -> Router {
    service.layer(Extension(sink))
}

async fn observe(
    State(telemetry): State<Arc<Telemetry>>,
    mut request: Request,
    next: Next,
) -> Response {
    let extensions = request.extensions_mut();
    let ids = invocation_ids(extensions);
    let metrics = Metrics::new(extensions.get::<MetricSink>().cloned().unwrap_or_default());
    extensions.insert(ids.clone());
    extensions.insert(metrics.clone());
    let refused = request.extensions().get::<Refused>().copied();
    let served = Served {
        method: Some(request.method().clone()),
        route: request.extensions().get().map(|path: &MatchedPath| path.as_str().to_owned()),
        user_id: Caller::from_extensions(request.extensions()).map(|caller| caller.user_id),
        ..Served::default()
    };
    let serving = async {
        let response = match refused {
            Some(refused) => refused.problem().into_response(),
            None => in_time(next.run(request)).await,
        };
        let served = answered(served, &response);
        (response, served)
    };
    let mut response = telemetry.observe(&ids, &metrics, serving).await;
    if let Some(id) = ids.request_id.and_then(|id| HeaderValue::try_from(id).ok()) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Returns the response, or a problem if it panics or takes too long.
async fn in_time(answering: impl Future<Output = Response>) -> Response {
    match timeout(ANSWER_WITHIN, AssertUnwindSafe(answering).catch_unwind()).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => Problem::internal(panic_message(&*panic)).into_response(),
        Err(elapsed) => Problem::unavailable(elapsed).into_response(),
    }
}

fn answered(served: Served, response: &Response) -> Served {
    let status = response.status();
    let cause = response.extensions().get::<Cause>();
    Served {
        level: match status {
            StatusCode::INTERNAL_SERVER_ERROR => Level::ERROR,
            _ if status.is_server_error() => Level::WARN,
            _ => Level::INFO,
        },
        status: Some(status.as_u16()),
        cause: cause.map(ToString::to_string),
        ..served
    }
}

fn invocation_ids(extensions: &Extensions) -> InvocationIds {
    let from_gateway = match extensions.get() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.as_deref(),
        _ => None,
    };
    // With an id that is not a valid header value, the response would have none.
    let from_gateway = from_gateway.filter(|id| HeaderValue::from_str(id).is_ok());
    let context = extensions.get::<Context>().cloned().unwrap_or_default();
    InvocationIds::new(&context, from_gateway)
}
