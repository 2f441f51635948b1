use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use lambda_http::request::RequestContext;
use storefront_core::Source;

/// Where the request comes from, as the gateway saw it; `None` from the loopback address.
#[derive(Clone, Debug)]
pub struct OptionalSource(pub Option<Source>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalSource {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = match parts.extensions.get() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
            _ => None,
        };
        Ok(Self(address.and_then(|address| Source::of(address.parse().ok()?))))
    }
}
