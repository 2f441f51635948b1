use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;
use storefront_core::RequestId;

use crate::invocation::InvocationIds;

/// The id of this request, for what it changes; none where nobody gave it one that can be stored.
#[derive(Clone, Debug)]
pub struct OptionalRequestId(pub Option<RequestId>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalRequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let ids = parts.extensions.get::<InvocationIds>();
        Ok(Self(ids.and_then(|ids| ids.request_id.as_deref()?.parse().ok())))
    }
}
