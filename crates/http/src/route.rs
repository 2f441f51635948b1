use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use lambda_http::request::RequestContext;

use crate::Problem;

/// Lets a request through to the handler of the very route that the gateway found for it, and to no
/// other one.
///
/// The gateway routes the path as it is written, and hands it over decoded: `/products/..%2Fusers`
/// is a product's path to it, with what it demands of callers there, and another one here.
pub(crate) async fn as_routed(request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let by_gateway = match extensions.get() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref(),
        _ => None,
    };
    // "GET /products/{productId}"; `$default` says nothing.
    let by_gateway = by_gateway.and_then(|key| key.split_once(' ')).map(|(_, path)| path);
    let here = extensions.get().map(MatchedPath::as_str);
    if by_gateway.is_some_and(|path| here != Some(path)) {
        return Problem::route_not_found().into_response();
    }
    next.run(request).await
}
