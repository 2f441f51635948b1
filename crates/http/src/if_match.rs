use axum::Json;
use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use storefront_core::Version;

use crate::Problem;

/// The version that a change expects, from `If-Match`; `None` when it takes any.
///
/// - absent or `*`: any version (a resource that does not exist is a 404 either way);
/// - `"3"`: this version;
/// - any other entity tag, weak ones included, is a version that nothing has, so that it comes to a
///   412: our tags are the versions, and `If-Match` compares strongly (RFC 9110, sections 8.8.3.2
///   and 13.1.1). Not here and now: what is wrong with the request without it goes before (section
///   13.2.1);
/// - a list of several tags, which the RFC allows, and what is no entity tag at all are 400.
#[derive(Clone, Copy, Debug)]
pub struct IfMatch(pub Option<Version>);

/// Versions begin at 1.
const NO_VERSION: Version = 0;

/// A body with its version as the `ETag`.
#[derive(Clone, Copy, Debug)]
pub struct Tagged<T>(pub Version, pub T);

/// 201: something new, with its path as the `Location`.
#[derive(Clone, Debug)]
pub struct Created<T>(pub String, pub Tagged<T>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(header::IF_MATCH).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self(None)),
            (Some(value), None) => read(value.to_str().unwrap_or_default().trim()).map(Self),
            (Some(_), Some(_)) => Err(malformed()),
        }
    }
}

fn read(value: &str) -> Result<Option<Version>, Problem> {
    if value == "*" {
        return Ok(None);
    }
    let strong = value.strip_prefix("W/").unwrap_or(value);
    let opaque = strong.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(opaque) = opaque.filter(|opaque| !opaque.contains('"')) else {
        return Err(malformed());
    };
    let is_weak = strong.len() < value.len();
    match opaque.parse::<Version>() {
        // Only the very text that the ETag had: not "03" or "+3".
        Ok(version) if version.to_string() == opaque && !is_weak => Ok(Some(version)),
        _ => Ok(Some(NO_VERSION)),
    }
}

fn malformed() -> Problem {
    Problem::invalid_header("If-Match", "must be * or one entity tag, such as \"3\"")
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.1).into_response();
        // Digits in quotes are a valid header value.
        if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(header::LOCATION, self.0)], self.1).into_response()
    }
}
