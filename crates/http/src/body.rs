use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use garde::Validate;
use http::{HeaderMap, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use serde_path_to_error::Segment;

use crate::{FieldError, Object, Problem};

/// The largest body that is read: 256 KB.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// A body of JSON that is what its type says, fields validated.
///
/// - 415 unless the content type is `application/json` (parameters such as `charset` are fine),
/// - 413 when it is larger than [`MAX_BODY_BYTES`],
/// - 400 when it is not JSON,
/// - 422 when a field is missing, unknown or of the wrong type (the first one found), and then
///   when fields break the rules of `garde` (all of them).
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

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let cause = error.inner();
        // Reading stops at the first mistake: what follows may not be JSON at all.
        let syntax = serde_json::from_slice::<IgnoredAny>(body);
        match (cause.classify(), syntax) {
            (Category::Data, Ok(_)) => {
                let detail = without_position(cause);
                Problem::invalid_field(pointer_of_mistake(error.path(), &detail), detail)
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

/// Where a mistake is says the pointer; the line and the column would only say it again.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ") {
        Some(end) => message[..end].to_owned(),
        None => message,
    }
}

/// The pointer to a field that was read and not understood.
fn pointer_of_mistake(path: &serde_path_to_error::Path, detail: &str) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => push(&mut pointer, &index.to_string()),
            Segment::Map { key } => push(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    // Of a field that is missing or repeated, the path leads to the object alone.
    if let Some(name) = field_named_in(detail) {
        push(&mut pointer, name);
    }
    pointer
}

/// The field that is missing or repeated: serde gives its name in the message alone.
pub(crate) fn field_named_in(detail: &str) -> Option<&str> {
    let name = detail
        .strip_prefix("missing field `")
        .or_else(|| detail.strip_prefix("duplicate field `"))?;
    name.strip_suffix('`')
}

/// The pointer to a field that was read and is against the rules. `garde` has the fields' names in
/// Rust, and writes `items[0].product_id`.
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

/// RFC 6901, section 3.
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
