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

/// The client's key for a request that moves money: without one, a request whose answer was lost would
/// do it again.
#[derive(Debug)]
pub struct RequiredIdempotencyKey(pub IdempotencyKey);

impl<S: Send + Sync> FromRequestParts<S> for RequiredIdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let OptionalIdempotencyKey(key) =
            OptionalIdempotencyKey::from_request_parts(parts, state).await?;
        let missing = "is required: send the same one when you send this request again";
        key.map(Self).ok_or_else(|| Problem::invalid_header(HEADER, missing))
    }
}
