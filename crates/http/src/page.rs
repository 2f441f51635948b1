use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize};
use storefront_core::{Page, PageRequest};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Metrics;
use crate::field;
use crate::openapi::CursorSchema;

/// The maximum number of items of a page: 1 to 100, 25 by default.
#[derive(Clone, Copy, Debug)]
pub struct Limit(u32);

/// The text is not a number from 1 to 100.
#[derive(Debug, thiserror::Error)]
#[error("must be a number from 1 to 100")]
pub struct InvalidLimit;

/// Where the previous page ended. Opaque to clients.
///
/// It contains only the last item's id. Keys are rebuilt from the id and the rest of the request,
/// so that no cursor leads into another partition.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<C>(pub C);

/// The text is not a cursor.
#[derive(Debug, thiserror::Error)]
#[error("is not a cursor of this list")]
pub struct InvalidCursor;

/// One page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageBody<T> {
    /// The items of this page. There may be fewer than `limit`, or none, although more pages follow:
    /// read on as long as there is a `nextCursor`.
    #[schema(max_items = 100)]
    pub items: Vec<T>,
    /// The cursor of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = CursorSchema)]
    #[schema(nullable = false, required = false)]
    pub next_cursor: Option<String>,
}

/// Returns the page request for `limit` and `cursor`.
#[must_use]
pub fn page_request<C>(limit: Limit, cursor: Option<Cursor<C>>) -> PageRequest<C> {
    PageRequest { limit: limit.0, after: cursor.map(|Cursor(id)| id) }
}

impl<T> PageBody<T> {
    /// Builds the response body, converting each item with `body`, and counts the items that the
    /// page lacks because they cannot be read.
    pub fn new<E, C: Into<Uuid>>(
        page: Page<E, C>,
        metrics: &Metrics,
        body: impl FnMut(E) -> T,
    ) -> Self {
        metrics.unreadable(page.unreadable);
        Self {
            items: page.items.into_iter().map(body).collect(),
            next_cursor: page.next.map(|id| URL_SAFE_NO_PAD.encode(id.into().as_bytes())),
        }
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(25)
    }
}

impl FromStr for Limit {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<u32>() {
            // Only the canonical form: not "+5" or "05".
            Ok(limit @ 1..=100) if limit.to_string() == text => Ok(Self(limit)),
            _ => Err(InvalidLimit),
        }
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        field::parsed(deserializer)
    }
}

impl<C: TryFrom<Uuid>> FromStr for Cursor<C> {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let uuid = Uuid::from_slice(&bytes).map_err(|_| InvalidCursor)?;
        uuid.try_into().map(Self).map_err(|_| InvalidCursor)
    }
}

impl<'de, C: TryFrom<Uuid>> Deserialize<'de> for Cursor<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        field::parsed(deserializer)
    }
}
