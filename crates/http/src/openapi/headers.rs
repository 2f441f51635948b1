//! The headers of responses.

use std::collections::BTreeSet;

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Response};

use super::schemas::one_of;
use crate::ProblemCode;

/// Adds the headers that come with a response's status and problems, and gives each header its
/// schema.
///
/// # Panics
///
/// If the response has a header that is not described below.
pub(super) fn complete(
    path: &str,
    status: &str,
    codes: &[ProblemCode],
    may_be_the_gateways: bool,
    response: &mut Response,
) {
    let mut names: BTreeSet<String> = std::mem::take(&mut response.headers).into_keys().collect();
    names.insert("x-request-id".to_owned());
    if status == "401" {
        names.insert("WWW-Authenticate".to_owned());
    }
    if codes.iter().any(|code| code.has_retry_after()) {
        names.insert("Retry-After".to_owned());
    }
    if may_be_the_gateways {
        names.insert("Apigw-Requestid".to_owned());
    }
    for name in names {
        let header = header(path, &name);
        let (schema, why) = header.unwrap_or_else(|| {
            panic!("the header {name} is not described: add it to {}", file!());
        });
        // The gateway's own responses have none of the function's headers.
        response.headers.insert(name, RefOr::T(described(schema, why, !may_be_the_gateways)));
    }
}

/// Returns the schema and the meaning of a header on this path.
fn header(path: &str, name: &str) -> Option<(ObjectBuilder, &'static str)> {
    let matching = |pattern: &str| {
        ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern.to_owned()))
    };
    Some(match name {
        "x-request-id" => (matching("^[!-~]+$"), "The id of this request in our logs"),
        "Apigw-Requestid" => {
            (matching("^[!-~]+$"), "The same id, also in responses of the gateway itself")
        }
        "ETag" => (
            matching(r#"^"[1-9][0-9]*(\.[0-9]+)?"$"#),
            "The version, and for a product whose stock is counted a dot and the stock",
        ),
        // A new resource's path is below the path that created it.
        "Location" => (matching(&format!("^{path}/[0-9a-f-]{{36}}$")), "The path"),
        "Retry-After" => (
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)),
            "When to try again, in seconds; missing if the gateway answered",
        ),
        "WWW-Authenticate" => (
            one_of(Type::String, ["Bearer", "Bearer error=\"invalid_token\""]),
            "How to log in; missing if the gateway answered",
        ),
        "Cache-Control" => (one_of(Type::String, ["no-store"]), "No cache may store a token"),
        "Idempotency-Replayed" => (
            one_of(Type::String, ["true", "false"]),
            "Whether this is the answer to an earlier request",
        ),
        _ => return None,
    })
}

fn described(schema: ObjectBuilder, why: &str, is_required: bool) -> Header {
    let header = HeaderBuilder::new().schema(Some(schema)).description(Some(why));
    // utoipa does not know the field.
    let required = is_required.then(|| Extensions::from_iter([("required", true)]));
    header.extensions(required).build()
}
