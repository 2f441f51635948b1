use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use storefront_core::Version;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A body with its `ETag`.
#[derive(Clone, Debug)]
pub struct Tagged<T> {
    etag: String,
    body: T,
}

impl<T> Tagged<T> {
    /// Tags a body with its version.
    pub fn new(version: Version, body: T) -> Self {
        Self { etag: format!("\"{version}\""), body }
    }

    /// Tags a body with its version and a state that changes without a new version. `If-Match`
    /// compares the version alone.
    pub fn with_state(version: Version, state: u64, body: T) -> Self {
        Self { etag: format!("\"{version}.{state}\""), body }
    }
}

/// A 200 for a change that has its effect once for each idempotency key.
#[derive(Clone, Debug)]
pub struct Changed<T> {
    /// Whether an earlier request with the same key made the change.
    pub replayed: bool,
    /// What was changed, as it is now.
    pub body: Tagged<T>,
}

/// A 201 for a new resource, with its path as the `Location`.
#[derive(Clone, Debug)]
pub struct Created<T>(pub String, pub Tagged<T>);

/// A 200 for a resource that an earlier request with the same idempotency key created, with its path
/// as the `Location`.
#[derive(Clone, Debug)]
pub struct Replayed<T>(pub String, pub Tagged<T>);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.body).into_response();
        // Digits and a dot in quotes are a valid header value.
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
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

impl<T: Serialize> IntoResponse for Changed<T> {
    fn into_response(self) -> Response {
        let replayed = if self.replayed { "true" } else { "false" };
        ([(REPLAYED, replayed)], self.body).into_response()
    }
}

impl<T: Serialize> IntoResponse for Replayed<T> {
    fn into_response(self) -> Response {
        let headers = [(header::LOCATION, self.0), (REPLAYED, "true".to_owned())];
        (StatusCode::OK, headers, self.1).into_response()
    }
}
