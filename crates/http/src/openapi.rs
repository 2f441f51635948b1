//! What all operations of the OpenAPI document have in common, so that handlers need not say it.

mod schemas;

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, HttpMethod, OpenApi, Ref, RefOr};
use utoipa::{Modify, PartialSchema, ToSchema};

use crate::problem::{self, CODES, ProblemBody};

pub use schemas::{
    CategorySchema, CurrencySchema, CursorSchema, DescriptionSchema, EmailSchema,
    GivenPasswordSchema, IdempotencyKeySchema, IfMatchSchema, NameSchema, OrderIdSchema,
    PasswordSchema, PriceSchema, ProblemCodeSchema, ProductIdSchema, TimestampSchema,
    UserIdOrMeSchema, UserIdSchema, VersionSchema,
};

/// The name of the security scheme, for `security(("accessToken" = []))`.
pub const ACCESS_TOKEN: &str = "accessToken";

/// Adds to each operation the problems that it can answer for what it takes (an access token, a
/// query, a body, headers, or nothing at all), and what the gateway answers by itself; gives every
/// response its `x-request-id`, and every header its schema.
///
/// Handlers name their own problems by status, and in the description the codes, in backticks. From
/// these words the document has what a program can check: which codes this status can have here.
///
/// For `#[openapi(modifiers(&Conventions))]`, once.
///
/// # Panics
///
/// When a description names no code of its status: the document would not say what comes.
#[derive(Clone, Copy, Debug)]
pub struct Conventions;

/// How API Gateway itself answers, before any function is called or instead of one. Its HTTP APIs
/// have no way to change that.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is the gateway that writes it")]
struct GatewayMessage {
    /// The status in words.
    #[schema(example = "Unauthorized")]
    message: String,
}

impl Modify for Conventions {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        let mut used = vec![
            (ProblemBody::name().into_owned(), ProblemBody::schema()),
            (GatewayMessage::name().into_owned(), GatewayMessage::schema()),
        ];
        ProblemBody::schemas(&mut used);
        used.extend(schemas::all());
        components.schemas.extend(used);
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        components.add_security_scheme(ACCESS_TOKEN, SecurityScheme::Http(scheme));
        for path in document.paths.paths.values_mut() {
            for (method, operation) in operations(path) {
                complete(&method, operation);
            }
        }
    }
}

/// A kind of operations.
#[derive(Clone, Copy)]
enum Operations {
    All,
    /// Those that change something.
    Writing,
    /// Those that need an access token.
    Secured,
    WithPathParameter,
    WithQuery,
    WithCursor,
    WithBody,
    WithHeaders,
    WithIfMatch,
}

/// Problems that come of what an operation takes.
const COMMON: [(Operations, u16, &str, &str); 14] = [
    (Operations::All, 400, "malformed_request", "it is no HTTP request, or its URI is too long"),
    (Operations::WithBody, 400, "malformed_body", "the body is not JSON"),
    (Operations::WithHeaders, 400, "invalid_header", "`errors` names the header"),
    (Operations::WithQuery, 400, "invalid_query", "`errors` names the parameter"),
    (Operations::WithCursor, 400, "invalid_cursor", "it is not of a page of this list"),
    (
        Operations::WithPathParameter,
        404,
        "route_not_found",
        "a parameter of the path has an encoded slash in it",
    ),
    (
        Operations::Secured,
        401,
        "unauthenticated",
        "the access token is nobody's, or no user's any more",
    ),
    (Operations::WithIfMatch, 412, "version_mismatch", "it is not at the version of `If-Match`"),
    (Operations::WithBody, 413, "body_too_large", "more than 256 KB"),
    (Operations::WithBody, 415, "unsupported_media_type", "the body is not `application/json`"),
    (Operations::WithBody, 422, "invalid_body", "`errors` names the fields"),
    (Operations::All, 500, "internal", "something is broken here"),
    (Operations::All, 503, "unavailable", "the shop cannot answer just now; trying again may help"),
    (Operations::Writing, 503, "contention", "others are changing the same; nothing was changed"),
];

/// What the gateway answers by itself.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html>
const BY_THE_GATEWAY: [(Operations, u16, &str, &str); 6] = [
    (Operations::Secured, 401, "Unauthorized", "there is no access token"),
    (Operations::Secured, 403, "Forbidden", "the access token is not valid"),
    (Operations::WithBody, 413, "Request Entity Too Large", "more than 10 MB"),
    (Operations::All, 429, "Too Many Requests", "from all clients together, just now"),
    (Operations::All, 500, "Internal Server Error", "no function could answer"),
    (Operations::All, 503, "Service Unavailable", "no function was there to answer, or in time"),
];

/// Headers of answers: what they hold, as a schema, and what it means.
fn header(name: &str) -> Option<(ObjectBuilder, &'static str)> {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    Some(match name {
        "x-request-id" => (text().pattern(Some("^[!-~]+$")), "The id of this request in our logs"),
        "Apigw-Requestid" => (
            text().pattern(Some("^[!-~]+$")),
            "The same id, also where the gateway answered and no function",
        ),
        "ETag" => (text().pattern(Some(r#"^"[1-9][0-9]*"$"#)), "The version"),
        "Location" => {
            (text().pattern(Some("^/(users|products|orders)/[0-9a-f-]{36}$")), "The path")
        }
        "Retry-After" => (
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)),
            "When to try again, in seconds; not where the gateway answered",
        ),
        "WWW-Authenticate" => (
            text().enum_values(Some(["Bearer", "Bearer error=\"invalid_token\""])),
            "How to log in; not where the gateway answered",
        ),
        "Cache-Control" => {
            (text().enum_values(Some(["no-store"])), "Nothing on the way may keep a token")
        }
        "Idempotency-Replayed" => {
            (text().enum_values(Some(["true"])), "This is the answer to an earlier request")
        }
        _ => return None,
    })
}

impl Operations {
    fn include(self, method: &HttpMethod, operation: &Operation) -> bool {
        let has_parameter = |is_wanted: fn(&ParameterIn, &str) -> bool| {
            operation.parameters.iter().flatten().any(|parameter| {
                matches!(parameter, RefOr::T(it) if is_wanted(&it.parameter_in, &it.name))
            })
        };
        match self {
            Self::All => true,
            Self::Writing => *method != HttpMethod::Get,
            Self::Secured => operation.security.is_some(),
            Self::WithPathParameter => has_parameter(|place, _| *place == ParameterIn::Path),
            Self::WithQuery => has_parameter(|place, _| *place == ParameterIn::Query),
            Self::WithCursor => has_parameter(|_, name| name == "cursor"),
            Self::WithBody => operation.request_body.is_some(),
            Self::WithHeaders => has_parameter(|place, _| *place == ParameterIn::Header),
            Self::WithIfMatch => has_parameter(|_, name| name == "If-Match"),
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, &mut path.get),
        (HttpMethod::Put, &mut path.put),
        (HttpMethod::Post, &mut path.post),
        (HttpMethod::Delete, &mut path.delete),
        (HttpMethod::Patch, &mut path.patch),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn complete(method: &HttpMethod, operation: &mut Operation) {
    let mut common = Vec::new();
    for (of, status, code, why) in COMMON {
        if of.include(method, operation) {
            common.push((status, format!("`{code}`: {why}")));
        }
    }
    let mut messages = Vec::new();
    for (of, status, message, why) in BY_THE_GATEWAY {
        if of.include(method, operation) {
            common.push((status, format!("the gateway's `{message}`: {why}")));
            messages.push((status, message));
        }
    }
    let responses = &mut operation.responses.responses;
    for (status, sentence) in common {
        let response =
            responses.entry(status.to_string()).or_insert_with(|| Response::new("").into());
        if let RefOr::T(response) = response {
            let separator = if response.description.is_empty() { "" } else { "; " };
            response.description = format!("{}{separator}{sentence}", response.description);
        }
    }
    for (status, response) in responses {
        if let (Ok(status), RefOr::T(response)) = (status.parse(), response) {
            let message =
                messages.iter().find(|(of, _)| *of == status).map(|(_, message)| *message);
            describe(status, message, response);
        }
    }
}

/// The parts that a response has for its status.
fn describe(status: u16, by_the_gateway: Option<&str>, response: &mut Response) {
    let codes = codes_in(&response.description, status);
    if status >= 400 {
        let is_described = !codes.is_empty() || by_the_gateway.is_some();
        assert!(is_described, "no code of {status} in `{}`", response.description);
        if !codes.is_empty() {
            let problem = content(problem_of(status, &codes));
            response.content.insert(problem::CONTENT_TYPE.to_owned(), problem);
        }
        if let Some(message) = by_the_gateway {
            let message = content(message_of(message));
            response.content.insert("application/json".to_owned(), message);
        }
    }
    let mut names: BTreeSet<String> = std::mem::take(&mut response.headers).into_keys().collect();
    names.insert("x-request-id".to_owned());
    if status == 401 {
        names.insert("WWW-Authenticate".to_owned());
    }
    if ["too_many_logins", "unavailable"].iter().any(|passing| codes.contains(passing)) {
        names.insert("Retry-After".to_owned());
    }
    // Where the gateway answers, there is nothing of the function's.
    let is_required = by_the_gateway.is_none();
    if !is_required {
        names.insert("Apigw-Requestid".to_owned());
    }
    for name in names {
        let described = header(&name).unwrap_or_else(|| panic!("header {name} is not described"));
        response.headers.insert(name, RefOr::T(described_header(described, is_required)));
    }
}

fn described_header((schema, why): (ObjectBuilder, &str), is_required: bool) -> Header {
    let header = HeaderBuilder::new().schema(Some(schema)).description(Some(why));
    // utoipa does not know the field.
    let required = is_required.then(|| Extensions::from_iter([("required", true)]));
    header.extensions(required).build()
}

/// The codes of this status that a description names in backticks.
fn codes_in(description: &str, status: u16) -> Vec<&'static str> {
    let quoted: BTreeSet<&str> = description.split('`').skip(1).step_by(2).collect();
    let of_status = CODES.iter().filter(|(of, _)| *of == status).map(|(_, code)| *code);
    of_status.filter(|code| quoted.contains(code)).collect()
}

/// A problem of this status, with one of these codes.
fn problem_of(status: u16, codes: &[&str]) -> Schema {
    let types = codes.iter().map(|code| format!("urn:storefront:problem:{code}"));
    let narrowed = ObjectBuilder::new()
        .property("status", one_of(Type::Integer, [status]))
        .property("code", one_of(Type::String, codes.iter().copied()))
        .property("type", one_of(Type::String, types));
    AllOfBuilder::new().item(Ref::from_schema_name(ProblemBody::name())).item(narrowed).into()
}

fn message_of(message: &str) -> Schema {
    let narrowed = ObjectBuilder::new().property("message", one_of(Type::String, [message]));
    AllOfBuilder::new().item(Ref::from_schema_name(GatewayMessage::name())).item(narrowed).into()
}

fn one_of<V: Into<Value>>(kind: Type, values: impl IntoIterator<Item = V>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind).enum_values(Some(values))
}

fn content(schema: Schema) -> RefOr<Content> {
    RefOr::T(ContentBuilder::new().schema(Some(schema)).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_names_the_codes_of_its_status_and_other_things() {
        let description = "`invalid_header`: `If-Match` is odd; `invalid_body`, `no_such_code`";
        assert_eq!(codes_in(description, 400), ["invalid_header"]);
        assert_eq!(codes_in(description, 422), ["invalid_body"]);
        assert!(codes_in(description, 404).is_empty());
    }

    #[test]
    #[should_panic(expected = "no code of 404")]
    fn a_response_that_names_no_code_is_refused() {
        describe(404, None, &mut Response::new("There is no such thing"));
    }
}
