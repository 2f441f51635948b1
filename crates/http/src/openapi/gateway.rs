//! Responses of API Gateway itself, before it calls a function or instead of the function's
//! response. HTTP APIs have no way to change them.

use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{HttpMethod, Ref, RefOr, Response};

use super::operations::Operations;
use super::schemas::one_of;
use crate::problem::describe;

/// API Gateway's own response, before it calls a function or instead of the function's response.
#[derive(ToSchema)]
#[allow(dead_code, reason = "the gateway writes it")]
pub(super) struct GatewayMessage {
    /// The status in words.
    #[schema(example = "Unauthorized")]
    message: String,
}

/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html>
const ANSWERS: [(Operations, &str, &str, &str); 6] = [
    (Operations::Secured, "401", "Unauthorized", "the access token is missing"),
    (Operations::Secured, "403", "Forbidden", "the access token is not valid"),
    (Operations::WithBody, "413", "Request Entity Too Large", "more than 10 MB"),
    (Operations::All, "429", "Too Many Requests", "from all clients together"),
    (Operations::All, "500", "Internal Server Error", "no function could answer"),
    (Operations::All, "503", "Service Unavailable", "no function answered in time"),
];

/// Adds the gateway's own responses to an operation, and returns their statuses and messages.
pub(super) fn add_answers(
    method: &HttpMethod,
    operation: &mut Operation,
) -> Vec<(&'static str, &'static str)> {
    let mut added = Vec::new();
    for (of, status, message, why) in ANSWERS {
        if of.include(method, operation) {
            let response = operation.responses.responses.entry(status.to_owned());
            if let RefOr::T(response) = response.or_insert_with(|| Response::new("").into()) {
                describe(response, &format!("the gateway's `{message}`: {why}"));
            }
            added.push((status, message));
        }
    }
    added
}

pub(super) fn schema(message: &str) -> Schema {
    let narrowed = ObjectBuilder::new().property("message", one_of(Type::String, [message]));
    AllOfBuilder::new().item(Ref::from_schema_name(GatewayMessage::name())).item(narrowed).into()
}
