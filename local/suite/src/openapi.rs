//! The HTTP contract as an OpenAPI 3.1 document, assembled from the annotations of each function's
//! handlers.

mod share;

use utoipa::OpenApi;

use crate::{Dependencies, Kind, functions};

/// The document's head; the paths come from the functions.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Storefront",
        description = "Users, products and orders of a web shop.\n\nWhat the shop refuses it answers \
            with a problem (RFC 9457). Some answers are API Gateway's own, for requests that no \
            function saw: they are `{\"message\": …}`, and have no `x-request-id`. Paths and methods \
            that this document does not have are among them: 404 `Not Found`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        contact(),
    ),
    servers((url = "http://127.0.0.1:3000", description = "The local cloud")),
    tags(
        (name = "users", description = "Who may log in"),
        (name = "sessions", description = "Access tokens"),
        (name = "products", description = "What is sold"),
        (name = "orders", description = "What was bought"),
    ),
)]
struct Head;

/// The whole document, as pretty JSON with a final line feed.
///
/// # Errors
///
/// When it cannot be written as JSON, which would be a defect of the annotations.
pub fn document() -> Result<String, serde_json::Error> {
    let mut document = Head::openapi();
    for function in functions(&Dependencies::unreachable()) {
        if let Kind::Api { doc, .. } = function.kind {
            document.merge(doc());
        }
    }
    share::share_responses(&mut document);
    Ok(document.to_pretty_json()? + "\n")
}
