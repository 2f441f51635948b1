use axum::extract::FromRequestParts;
use http::request::Parts;
use storefront_core::{IdempotencyKey, InvalidIdempotencyKey};

use crate::Problem;

const HEADER: &str = "Idempotency-Key";

/// The client's key for a request that it may repeat, if it sent one.
#[derive(Debug)]
pub struct OptionalIdempotencyKey(pub Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for OptionalIdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let key = parts.headers.get(HEADER).map(|value| {
            let text = value.to_str().map_err(|_| InvalidIdempotencyKey)?;
            text.parse::<IdempotencyKey>()
        });
        key.transpose().map(Self).map_err(|error| Problem::invalid_header(HEADER, error))
    }
}
