//! The problems that come with an operation's inputs, and the schema of a response's problems.

use utoipa::ToSchema as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{HttpMethod, Ref, RefOr, Response};

use super::operations::Operations;
use super::schemas::one_of;
use crate::ProblemCode;
use crate::problem::{ProblemBody, add};

const COMMON: &[(Operations, ProblemCode)] = &[
    (Operations::All, ProblemCode::MalformedRequest),
    (Operations::WithBody, ProblemCode::MalformedBody),
    (Operations::WithHeaders, ProblemCode::InvalidHeader),
    (Operations::WithQuery, ProblemCode::InvalidQuery),
    (Operations::WithCursor, ProblemCode::InvalidCursor),
    (Operations::WithPathParameter, ProblemCode::RouteNotFound),
    (Operations::Secured, ProblemCode::Unauthenticated),
    (Operations::WithIfMatch, ProblemCode::VersionMismatch),
    (Operations::WithBody, ProblemCode::BodyTooLarge),
    (Operations::WithBody, ProblemCode::UnsupportedMediaType),
    (Operations::WithBody, ProblemCode::InvalidBody),
    (Operations::All, ProblemCode::Internal),
    (Operations::All, ProblemCode::Unavailable),
    (Operations::Writing, ProblemCode::Contention),
];

/// Adds the problems that every operation has, and those that come with this one's inputs.
pub(super) fn add_common(method: &HttpMethod, operation: &mut Operation) {
    for (of, code) in COMMON {
        if of.include(method, operation) {
            let status = code.status().as_str().to_owned();
            let response = operation.responses.responses.entry(status);
            if let RefOr::T(response) = response.or_insert_with(|| Response::new("").into()) {
                add(response, *code);
            }
        }
    }
}

/// Returns the schema of a problem with one of these codes, which share one status.
pub(super) fn schema(codes: &[ProblemCode]) -> Schema {
    let statuses = codes.first().map(|code| code.status().as_u16());
    let narrowed = ObjectBuilder::new()
        .property("status", one_of(Type::Integer, statuses))
        .property("code", one_of(Type::String, codes.iter().map(|code| code.as_str())))
        .property("type", one_of(Type::String, codes.iter().map(|code| code.urn())));
    AllOfBuilder::new().item(Ref::from_schema_name(ProblemBody::name())).item(narrowed).into()
}
