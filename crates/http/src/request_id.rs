use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use storefront_core::RequestId;

use crate::invocation::InvocationIds;

/// The request's id, which is stored with what the request changes; `None` if it has no id that can
/// be stored.
#[derive(Clone, Debug)]
pub struct OptionalRequestId(pub Option<RequestId>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalRequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let ids = parts.extensions.get::<InvocationIds>();
        Ok(Self(ids.and_then(|ids| ids.request_id.as_deref()?.parse().ok())))
    }
}
