//! What all operations of the OpenAPI document have in common, so that handlers need not repeat it.

mod gateway;
mod headers;
mod operations;
mod problems;
pub(crate) mod schemas;

use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::Response;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, HttpMethod, OpenApi, RefOr};
use utoipa::{Modify, PartialSchema, ToSchema};

use self::gateway::GatewayMessage;
use crate::IfMatch;
use crate::problem::{self, ProblemBody, take_codes};

pub use schemas::{
    CurrencySchema, CursorSchema, NameSchema, PriceCurrencySchema, PriceSchema, TotalSchema,
    VersionSchema, line,
};

/// The name of the security scheme, for `security(("accessToken" = []))`.
pub const ACCESS_TOKEN: &str = "accessToken";

/// Completes the annotations of handlers.
///
/// Each operation gets the problems that every operation has, those that come with its inputs (an
/// access token, a query, a body, headers), and the gateway's own responses. Every response gets
/// its `x-request-id`, and every header its schema. A handler lists only its specific problems, in
/// [`Problems`](crate::Problems).
///
/// Use it once, as `#[openapi(modifiers(&Conventions))]`.
///
/// # Panics
///
/// If a failure response lists no problem, or a response has a header without a schema.
#[derive(Clone, Copy, Debug)]
pub struct Conventions;

impl Modify for Conventions {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        components.schemas.extend(common_schemas());
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        components.add_security_scheme(ACCESS_TOKEN, SecurityScheme::Http(scheme));
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations::of(item) {
                complete(path, &method, operation);
            }
        }
    }
}

/// The schemas of failures and those used only by parameters, which utoipa does not collect.
fn common_schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = Vec::new();
    add_schema::<ProblemBody>(&mut schemas);
    add_schema::<GatewayMessage>(&mut schemas);
    add_schema::<CursorSchema>(&mut schemas);
    add_schema::<IfMatch>(&mut schemas);
    schemas
}

fn add_schema<T: ToSchema + PartialSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
}

fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    problems::add_common(method, operation);
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.values_mut().for_each(reject_null);
    }
    let messages = gateway::add_answers(method, operation);
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            let message = messages.iter().find(|(of, _)| of == status).map(|(_, message)| *message);
            complete_response(path, status, message, response);
        }
    }
}

/// A body that may be absent, an `Option`, is not `null` if it is there.
fn reject_null(body: &mut RefOr<Content>) {
    let RefOr::T(Content { schema, .. }) = body else { return };
    if let Some(RefOr::T(Schema::OneOf(either))) = schema
        && let [only @ RefOr::Ref(_), _null] = &either.items[..]
    {
        *schema = Some(only.clone());
    }
}

fn complete_response(path: &str, status: &str, by_gateway: Option<&str>, response: &mut Response) {
    let codes = take_codes(response);
    let is_failure = status.starts_with(['4', '5']);
    assert!(
        !is_failure || !codes.is_empty() || by_gateway.is_some(),
        "{path} answers {status} without a problem: list it as `Problems<…>` among the handler's responses"
    );
    if !codes.is_empty() {
        let problem = content(problems::schema(&codes));
        response.content.insert(problem::CONTENT_TYPE.to_owned(), problem);
    }
    if let Some(message) = by_gateway {
        response.content.insert("application/json".to_owned(), content(gateway::schema(message)));
    }
    headers::complete(path, status, &codes, by_gateway.is_some(), response);
}

fn content(schema: Schema) -> RefOr<Content> {
    RefOr::T(ContentBuilder::new().schema(Some(schema)).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "/orders answers 404 without a problem")]
    fn a_failure_without_a_problem_is_rejected() {
        let mut response = Response::new("The thing does not exist");
        complete_response("/orders", "404", None, &mut response);
    }
}
