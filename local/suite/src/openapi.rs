//! The HTTP contract as an OpenAPI 3.1 document, assembled from the annotations of each function's
//! handlers.

mod share;

use std::fmt::Write as _;

use utoipa::OpenApi;

use crate::{Dependencies, Kind, functions};

/// The document without the paths, which come from the functions.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Storefront",
        description = "Users, products and orders of a web shop.\n\nThe shop reports errors as \
            problems (RFC 9457). Requests that do not reach a function are answered by API Gateway \
            itself, with `{\"message\": …}` and without `x-request-id`. These include paths and methods \
            that are not in this document: 404 `Not Found`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(),
    ),
    servers((url = "http://127.0.0.1:3000", description = "The local cloud")),
)]
struct Head;

/// Returns the whole document, as pretty-printed JSON with a trailing line feed.
///
/// # Errors
///
/// If it cannot be written as JSON, which would be a bug in the annotations.
pub fn document() -> Result<String, serde_json::Error> {
    let mut document = Head::openapi();
    for function in functions(&Dependencies::unreachable()) {
        if let Kind::Api { doc, .. } = function.kind {
            document.merge(doc());
        }
    }
    share::share_responses(&mut document);
    Ok(with_visible_characters(&document.to_pretty_json()?) + "\n")
}

/// Escapes the characters beyond U+FFFF: those in patterns are invisible.
fn with_visible_characters(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if u32::from(c) <= 0xFFFF {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(escaped, r"\u{unit:04X}");
        }
    }
    escaped
}
