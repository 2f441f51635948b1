//! What is seen of an answer.

use std::fmt;

use serde_json::{Value, json};

use super::nobody;

/// An answer, as far as it can be told beforehand.
#[derive(Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) status: i64,
    /// Without times of changes and tokens; of a problem, the code and the products.
    pub(crate) body: Value,
    /// What the `ETag` says.
    pub(crate) version: Option<u64>,
    pub(crate) location: Option<String>,
    pub(crate) replayed: bool,
}

impl Seen {
    pub(super) fn new(status: i64, body: Value, version: u64) -> Self {
        Self { status, body, version: Some(version), location: None, replayed: false }
    }

    pub(super) fn at(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }

    pub(super) fn without_version(status: i64, body: Value) -> Self {
        Self { status, body, version: None, location: None, replayed: false }
    }

    pub(crate) fn problem(status: i64, code: &str) -> Self {
        Self::without_version(status, json!({ "code": code }))
    }

    pub(super) fn problem_of(status: i64, code: &str, products: &[Value]) -> Self {
        Self::without_version(status, json!({ "code": code, "products": products }))
    }

    /// All pages of a list, or the first.
    pub(super) fn pages(items: &[Value], limit: usize, only_first: bool) -> Self {
        let mut pages: Vec<&[Value]> = items.chunks(limit).collect();
        if pages.is_empty() {
            pages.push(&[]);
        }
        let more = only_first && pages.len() > 1;
        if only_first {
            pages.truncate(1);
        }
        Self::without_version(200, json!({ "pages": pages, "more": more }))
    }

    /// The id that the server chose, unless it is one of the `known`.
    pub(super) fn new_id<T: Copy + PartialEq + std::str::FromStr>(&self, known: &[T]) -> T {
        let id = self.body["id"].as_str().and_then(|id| id.parse().ok());
        id.filter(|id| !known.contains(id)).unwrap_or_else(nobody)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body)?;
        if let Some(version) = self.version {
            write!(f, " ETag {version}")?;
        }
        if let Some(location) = &self.location {
            write!(f, " Location {location}")?;
        }
        f.write_str(if self.replayed { " replayed" } else { "" })
    }
}

pub(super) fn unauthenticated() -> Seen {
    Seen::problem(401, "unauthenticated")
}

pub(super) fn forbidden() -> Seen {
    Seen::problem(403, "forbidden")
}

pub(super) fn no_user() -> Seen {
    Seen::problem(404, "user_not_found")
}

pub(super) fn mismatch() -> Seen {
    Seen::problem(412, "version_mismatch")
}

pub(super) fn invalid_body() -> Seen {
    Seen::problem(422, "invalid_body")
}
