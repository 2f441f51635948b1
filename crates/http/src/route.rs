use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use lambda_http::request::RequestContext;

use crate::Problem;

/// Passes a request to its handler only if the gateway matched the same route.
///
/// The gateway matches the path as it is written, but passes it on decoded. To the gateway,
/// `/products/..%2Fusers` is the path of a product, with that route's demands on the caller. Here
/// it is another path.
pub(crate) async fn as_routed(request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    let by_gateway = match extensions.get() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref(),
        _ => None,
    };
    // Such as "GET /products/{productId}". `$default` does not name a route.
    let by_gateway = by_gateway.and_then(|key| key.split_once(' ')).map(|(_, path)| path);
    let here = extensions.get().map(MatchedPath::as_str);
    if by_gateway.is_some_and(|path| here != Some(path)) {
        return Problem::route_not_found().into_response();
    }
    next.run(request).await
}
