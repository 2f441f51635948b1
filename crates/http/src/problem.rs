//! The API's error responses: problem details (RFC 9457).

mod code;
mod from_core;
mod kinds;
mod responses;

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use storefront_core::{Adjustment, Currency, ProductId};
use utoipa::ToSchema;

pub use code::{ProblemCode, problems};
pub use responses::{ProblemList, Problems};
pub(crate) use responses::{add, describe, take_codes};

use crate::logging::with_sources;
use crate::openapi::schemas::{CurrencySchema, PriceSchema, TotalSchema};

/// The content type of a problem.
pub(crate) const CONTENT_TYPE: &str = "application/problem+json";

/// An error response. It says what is wrong, and what of it the client can correct.
///
/// The internal cause is attached to the response as a [`Cause`] and logged once, by the layer of
/// [`crate::service`]. It is never part of the body.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    body: ProblemBody,
    retry_after: Option<Duration>,
    /// The `WWW-Authenticate` header of a 401.
    challenge: &'static str,
    cause: Option<Cause>,
}

/// An error response (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Identifies the kind of problem: `urn:storefront:problem:` and the `code`.
    #[serde(rename = "type", serialize_with = "urn")]
    #[schema(value_type = String, format = "uri", example = "urn:storefront:problem:email_taken")]
    kind: ProblemCode,
    /// The kind of problem in a few words; the same for all problems of a kind.
    #[schema(value_type = String, example = "Email taken")]
    title: &'static str,
    /// The HTTP status.
    #[serde(serialize_with = "status")]
    #[schema(value_type = u16, minimum = 400, maximum = 599, example = 409)]
    status: StatusCode,
    /// This problem in a sentence.
    #[schema(example = "The email belongs to another user.")]
    detail: String,
    /// The kind of problem, for programs.
    code: ProblemCode,
    /// What is wrong with each invalid part of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, min_items = 1)]
    errors: Vec<FieldError>,
    /// The products because of which an order could not be placed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, min_items = 1)]
    products: Vec<ProductProblem>,
    /// What the order would cost now, if it is not the expected total.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TotalSchema>, nullable = false)]
    total: Option<u64>,
    /// What is part of the total besides the products' prices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, min_items = 1)]
    adjustments: Vec<Adjustment>,
    /// The currency of the total and of the products' prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<CurrencySchema>, nullable = false)]
    currency: Option<Currency>,
}

/// What is wrong with one part of the request.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// Where in the body it is, as a JSON Pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/items/0/quantity", nullable = false)]
    pointer: Option<String>,
    /// The name of the query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "limit", nullable = false)]
    parameter: Option<String>,
    /// What is wrong with it.
    #[schema(example = "greater than 999")]
    detail: String,
}

/// A product because of which an order could not be placed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductProblem {
    /// The product's id.
    product_id: ProductId,
    /// The requested quantity, if the stock is too small or the total has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    requested: Option<u64>,
    /// The quantity in stock, if it is too small.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0)]
    available: Option<u64>,
    /// The current price of one, if the total has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<PriceSchema>, nullable = false)]
    price: Option<u64>,
}

/// The cause of a failure. It is passed in the response's extensions, for the log only.
#[derive(Clone)]
pub(crate) struct Cause(Arc<dyn Error + Send + Sync>);

impl Problem {
    fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let body = ProblemBody {
            kind: code,
            title: code.title(),
            status: code.status(),
            detail: detail.into(),
            code,
            errors: Vec::new(),
            products: Vec::new(),
            total: None,
            adjustments: Vec::new(),
            currency: None,
        };
        Self(Box::new(Inner { body, retry_after: None, challenge: "Bearer", cause: None }))
    }

    fn with_error(mut self, error: FieldError) -> Self {
        self.0.body.errors.push(error);
        self
    }

    fn retry_after(mut self, retry_after: Duration) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    fn challenge(mut self, challenge: &'static str) -> Self {
        self.0.challenge = challenge;
        self
    }

    fn caused_by(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(Cause(cause.into().into()));
        self
    }
}

impl FieldError {
    /// An error in the field of the body at this JSON Pointer.
    pub fn pointer(pointer: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, detail: shortened(&detail) }
    }

    /// An error in this query parameter or header.
    pub fn parameter(parameter: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self { pointer: None, parameter: Some(parameter.into()), detail: shortened(&detail) }
    }
}

/// Shortens a message: parsers quote what they could not read, however long it is.
fn shortened(detail: &impl fmt::Display) -> String {
    const MAX_CHARACTERS: usize = 300;
    let detail = detail.to_string();
    match detail.char_indices().nth(MAX_CHARACTERS) {
        Some((end, _)) => format!("{}…", &detail[..end]),
        None => detail,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Inner { body, retry_after, challenge, cause } = *self.0;
        // The body consists of strings, numbers and ids, so serializing cannot fail.
        let json = serde_json::to_vec(&body).unwrap_or_default();
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE))];
        let mut response = (body.status, content_type, json).into_response();
        if let Some(retry_after) = retry_after {
            // At least a second: clients take 0 for "at once".
            let seconds = retry_after.as_secs().max(1);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if body.status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 11.6.1: every 401 names the scheme.
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(cause) = cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

/// The cause with its chain of sources.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        with_sources(&*self.0).fmt(f)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn urn<S: serde::Serializer>(code: &ProblemCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&code.urn())
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn status<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
