use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use storefront_core::Version;

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A body with its version as the `ETag`.
#[derive(Clone, Copy, Debug)]
pub struct Tagged<T>(pub Version, pub T);

/// A 201 for a new resource, with its path as the `Location`.
#[derive(Clone, Debug)]
pub struct Created<T>(pub String, pub Tagged<T>);

/// A 200 for a resource that an earlier request with the same idempotency key created, with its path
/// as the `Location`.
#[derive(Clone, Debug)]
pub struct Replayed<T>(pub String, pub Tagged<T>);

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

impl<T: Serialize> IntoResponse for Replayed<T> {
    fn into_response(self) -> Response {
        let headers = [(header::LOCATION, self.0), (REPLAYED, "true".to_owned())];
        (StatusCode::OK, headers, self.1).into_response()
    }
}
