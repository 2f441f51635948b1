use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use garde::Validate;
use http::{HeaderMap, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_path_to_error::Segment;

use crate::{FieldError, Object, Problem};

/// The maximum size of a body: 256 KB.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// A JSON body, deserialized and validated.
///
/// - 415 unless the content type is `application/json` (parameters such as `charset` are fine),
/// - 413 if it is larger than [`MAX_BODY_BYTES`],
/// - 400 if it is not JSON,
/// - 422 if a field is missing, unknown or of the wrong type (only the first one is reported), or
///   else if fields break the rules of `garde` (all are reported).
#[derive(Clone, Debug)]
pub struct JsonBody<T>(pub T);

impl<T, S> FromRequest<S> for JsonBody<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::unsupported_media_type());
        }
        let body = Bytes::from_request(request, state).await?;
        let Object(value) = read::<Object<T>>(&body)?;
        match value.validate() {
            Ok(()) => Ok(Self(value)),
            Err(report) => Err(Problem::invalid_body(
                report
                    .iter()
                    .map(|(path, error)| FieldError::pointer(pointer(path), error))
                    .collect(),
            )),
        }
    }
}

/// A body that may be absent: then there is no content type either.
impl<T, S> OptionalFromRequest<S> for JsonBody<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            return <Self as FromRequest<S>>::from_request(request, state).await.map(Some);
        }
        let body = Bytes::from_request(request, state).await?;
        if body.is_empty() { Ok(None) } else { Err(Problem::unsupported_media_type()) }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let cause = error.inner();
        // Deserializing stops at the first error. What follows may not even be JSON.
        let syntax = serde_json::from_slice::<IgnoredAny>(body);
        match (cause.classify(), syntax) {
            (Category::Data, Ok(_)) => {
                let detail = without_position(cause);
                Problem::invalid_field(pointer_to_error(error.path(), &detail), detail)
            }
            (Category::Data, Err(error)) => not_json(&error),
            _ => not_json(cause),
        }
    })?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> Problem {
    Problem::malformed_body(format!("The body is not JSON: {error}."))
}

/// Removes the line and the column: the pointer already says where the error is.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}

/// Returns the pointer to a field that could not be deserialized.
fn pointer_to_error(path: &serde_path_to_error::Path, detail: &str) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    // If a field is missing or repeated, the path leads only to its object.
    if let Some(name) = field_named_in(detail) {
        push(&mut pointer, name);
    }
    pointer
}

/// Returns the name of a missing or repeated field, which serde gives only in the message.
pub(crate) fn field_named_in(detail: &str) -> Option<&str> {
    let name = detail
        .strip_prefix("missing field `")
        .or_else(|| detail.strip_prefix("duplicate field `"))?;
    name.strip_suffix('`')
}

/// Returns the pointer to a field that breaks a rule. `garde` uses the fields' names in Rust, and
/// writes `items[0].product_id`.
fn pointer(path: &garde::Path) -> String {
    let path = path.to_string();
    let mut pointer = String::new();
    for token in path.split(['.', '[']).filter(|token| !token.is_empty()) {
        push(&mut pointer, &camel_case(token.trim_end_matches(']')));
    }
    pointer
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// Appends a token, escaped (RFC 6901, section 3).
fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                Self::body_too_large(MAX_BODY_BYTES)
            }
            _ => Self::malformed_body("The body could not be read."),
        }
    }
}
