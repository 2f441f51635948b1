use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use storefront_core::EntityId;

use crate::Problem;

/// The id in the path.
///
/// A malformed id names nothing, so it gives the resource's 404.
#[derive(Clone, Copy, Debug)]
pub struct Id<T>(pub T);

impl<T, S> FromRequestParts<S> for Id<T>
where
    T: EntityId,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        id.ok().and_then(|Path(id)| id.parse().ok()).map(Self).ok_or_else(|| T::not_found().into())
    }
}
