//! The part of an answer that the model can predict.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use storefront_testing::Answer;

/// An answer, reduced to what the model can predict.
#[derive(Clone, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: i64,
    /// Without tokens and the times of changes; of a problem, the code and the products.
    pub(crate) body: Value,
    /// The `ETag`, without its quotes.
    pub(crate) etag: Option<String>,
    pub(crate) location: Option<String>,
    /// Whether it says that it repeats the answer to an earlier request.
    pub(crate) is_replayed: bool,
}

impl Response {
    pub(crate) fn entity(status: i64, body: Value, version: u64) -> Self {
        Self { etag: Some(version.to_string()), ..Self::without_version(status, body) }
    }

    /// With a state in the `ETag` that changes without a new version.
    pub(crate) fn with_state(self, state: Option<u64>) -> Self {
        let etag = self.etag.map(|version| with_state(version, state));
        Self { etag, ..self }
    }

    pub(crate) fn without_version(status: i64, body: Value) -> Self {
        Self { status, body, etag: None, location: None, is_replayed: false }
    }

    pub(crate) fn problem(status: i64, code: &str) -> Self {
        Self::without_version(status, json!({ "code": code }))
    }

    pub(crate) fn problem_with_products(status: i64, code: &str, products: &[Value]) -> Self {
        Self::without_version(status, json!({ "code": code, "products": products }))
    }

    /// All pages of a list, or only the first.
    pub(crate) fn pages(items: &[Value], limit: usize, only_first: bool) -> Self {
        let mut pages: Vec<&[Value]> = items.chunks(limit).collect();
        if pages.is_empty() {
            pages.push(&[]);
        }
        let has_more = only_first && pages.len() > 1;
        if only_first {
            pages.truncate(1);
        }
        Self::without_version(200, json!({ "pages": pages, "hasMore": has_more }))
    }

    pub(crate) fn with_location(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }
}

/// The text of an `ETag`.
pub(crate) fn with_state(version: String, state: Option<u64>) -> String {
    match state {
        Some(state) => format!("{version}.{state}"),
        None => version,
    }
}

pub(crate) fn unauthenticated() -> Response {
    Response::problem(401, "unauthenticated")
}

pub(crate) fn forbidden() -> Response {
    Response::problem(403, "forbidden")
}

pub(crate) fn version_mismatch() -> Response {
    Response::problem(412, "version_mismatch")
}

pub(crate) fn invalid_body() -> Response {
    Response::problem(422, "invalid_body")
}

impl From<&Answer> for Response {
    /// # Panics
    ///
    /// If the `ETag` has no quotes, or a problem is not one by RFC 9457.
    fn from(answer: &Answer) -> Self {
        let etag = answer.header("etag").map(|tag| {
            let unquoted = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            unquoted.unwrap_or_else(|| panic!("an ETag is in quotes, not {tag}")).to_owned()
        });
        Self {
            status: answer.status,
            body: predictable_body(answer),
            etag,
            location: answer.header("location").map(ToOwned::to_owned),
            is_replayed: answer.header("idempotency-replayed") == Some("true"),
        }
    }
}

fn predictable_body(answer: &Answer) -> Value {
    if answer.status >= 400 {
        let code = answer.body["code"].as_str().unwrap_or_default();
        let problem = answer.clone().problem(answer.status, code);
        let is_retryable = [429, 503].contains(&answer.status);
        assert_eq!(problem.header("retry-after").is_some(), is_retryable, "{problem:?}");
        let mut body = json!({ "code": code });
        if let Some(products) = answer.body.get("products") {
            body["products"] = products.clone();
        }
        return body;
    }
    if answer.body.get("accessToken").is_some_and(Value::is_string) {
        let token = answer.body["refreshToken"].as_str().unwrap_or_default();
        return json!({
            "id": session_of(token),
            "refreshToken": token,
            "user": without_update_times(&answer.body["user"]),
        });
    }
    if answer.body["items"][0].get("refreshedAt").is_some() {
        let items = answer.body["items"].as_array().into_iter().flatten();
        let items = items.map(|item| json!({ "id": item["id"], "current": item["current"] }));
        return json!({ "items": items.collect::<Vec<_>>() });
    }
    without_update_times(&answer.body)
}

/// The session that a refresh token names, as everybody can read it there.
fn session_of(token: &str) -> Value {
    let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims = claims.and_then(|claims| serde_json::from_slice::<Value>(&claims).ok());
    claims.map(|claims| claims["sid"].clone()).unwrap_or_default()
}

/// Removes `updatedAt`, which every entity must have.
pub(crate) fn without_update_times(body: &Value) -> Value {
    match body {
        Value::Array(items) => items.iter().map(without_update_times).collect(),
        Value::Object(fields) => {
            let is_entity = fields.contains_key("version");
            assert_eq!(fields.contains_key("updatedAt"), is_entity, "{body}");
            let fields = fields.iter().filter(|(name, _)| *name != "updatedAt");
            fields.map(|(name, value)| (name.clone(), without_update_times(value))).collect()
        }
        other => other.clone(),
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.body)?;
        if let Some(etag) = &self.etag {
            write!(f, " ETag {etag}")?;
        }
        if let Some(location) = &self.location {
            write!(f, " Location {location}")?;
        }
        f.write_str(if self.is_replayed { " replayed" } else { "" })
    }
}
