//! What all operations of the OpenAPI document have in common, so that handlers need not say it.

use utoipa::openapi::content::{Content, ContentBuilder};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr};
use utoipa::{Modify, PartialSchema, ToSchema};

use crate::problem::{self, ProblemBody};

/// The name of the security scheme, for `security(("accessToken" = []))`.
pub const ACCESS_TOKEN: &str = "accessToken";

/// Adds to each operation the problems that it can answer for what it takes: an access token, a
/// body, `If-Match`, or nothing at all; gives every problem its content type and schema, and every response its
/// `x-request-id`. Handlers name a problem by status and description alone:
/// `(status = 404, description = "…")`.
///
/// For `#[openapi(modifiers(&Conventions))]`. Applying it twice changes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Conventions;

/// How API Gateway itself answers 401 (no access token) and 403 (not a valid one), before any
/// function is called. Its HTTP APIs have no way to change that.
#[derive(ToSchema)]
#[allow(dead_code, reason = "it is the gateway that writes it")]
struct GatewayMessage {
    /// `Unauthorized` or `Forbidden`.
    #[schema(example = "Unauthorized")]
    message: String,
}

impl Modify for Conventions {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_with(Components::new);
        let mut schemas = vec![
            (ProblemBody::name().into_owned(), ProblemBody::schema()),
            (GatewayMessage::name().into_owned(), GatewayMessage::schema()),
        ];
        ProblemBody::schemas(&mut schemas);
        components.schemas.extend(schemas);
        for common in &COMMON {
            components.responses.insert(common.name.to_owned(), RefOr::T(common.response()));
        }
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        components.add_security_scheme(ACCESS_TOKEN, SecurityScheme::Http(scheme));
        document.paths.paths.values_mut().flat_map(operations).for_each(complete);
    }
}

/// A response that many operations give.
struct Common {
    of: Operations,
    status: &'static str,
    name: &'static str,
    description: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operations {
    All,
    /// Those that need an access token; the gateway gives such a response, too.
    Secured,
    WithBody,
    WithIfMatch,
}

const COMMON: [Common; 8] = [
    Common {
        of: Operations::Secured,
        status: "401",
        name: "Unauthorized",
        description: "There is no access token",
    },
    Common {
        of: Operations::Secured,
        status: "403",
        name: "Forbidden",
        description: "The access token is not valid, or the caller may not do this (`forbidden`)",
    },
    Common {
        of: Operations::WithIfMatch,
        status: "412",
        name: "VersionMismatch",
        description: "`version_mismatch`: it is not at the version of `If-Match`",
    },
    Common {
        of: Operations::WithBody,
        status: "413",
        name: "BodyTooLarge",
        description: "`body_too_large`: more than 256 KB",
    },
    Common {
        of: Operations::WithBody,
        status: "415",
        name: "UnsupportedMediaType",
        description: "`unsupported_media_type`: the body is not `application/json`",
    },
    Common {
        of: Operations::WithBody,
        status: "422",
        name: "InvalidBody",
        description: "`invalid_body`: `errors` names the fields",
    },
    Common {
        of: Operations::All,
        status: "500",
        name: "InternalError",
        description: "`internal`: something is broken here",
    },
    Common {
        of: Operations::All,
        status: "503",
        name: "Unavailable",
        description: "`unavailable` or `contention`: nothing was changed; trying again may help",
    },
];

impl Common {
    fn response(&self) -> Response {
        let mut response = Response::new(self.description);
        describe(self.status, &mut response, self.of == Operations::Secured);
        if self.status == "503" {
            let retry_after = header(Type::Integer, "When to try again, in seconds");
            response.headers.insert("Retry-After".to_owned(), retry_after);
        }
        response
    }
}

impl Operations {
    fn include(self, operation: &Operation) -> bool {
        let mut parameters = operation.parameters.iter().flatten();
        match self {
            Self::All => true,
            Self::Secured => operation.security.is_some(),
            Self::WithBody => operation.request_body.is_some(),
            Self::WithIfMatch => parameters.any(
                |parameter| matches!(parameter, RefOr::T(header) if header.name == "If-Match"),
            ),
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch]
        .into_iter()
        .flatten()
}

fn complete(operation: &mut Operation) {
    for common in &COMMON {
        if common.of.include(operation) {
            let responses = &mut operation.responses.responses;
            responses
                .entry(common.status.to_owned())
                .or_insert_with(|| RefOr::Ref(Ref::from_response_name(common.name)));
        }
    }
    let is_secured = operation.security.is_some();
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            describe(status, response, is_secured);
        }
    }
}

/// The parts that a response has for its status.
fn describe(status: &str, response: &mut Response, is_secured: bool) {
    if status.starts_with(['4', '5']) && response.content.is_empty() {
        response.content.insert(problem::CONTENT_TYPE.to_owned(), content_of::<ProblemBody>());
    }
    if is_secured && matches!(status, "401" | "403") {
        response.content.insert("application/json".to_owned(), content_of::<GatewayMessage>());
    }
    let request_id = header(Type::String, "The id of this request in our logs");
    response.headers.insert("x-request-id".to_owned(), request_id);
}

fn header(kind: Type, description: &str) -> RefOr<Header> {
    let schema = ObjectBuilder::new().schema_type(kind);
    RefOr::T(HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build())
}

fn content_of<T: ToSchema>() -> RefOr<Content> {
    RefOr::T(ContentBuilder::new().schema(Some(Ref::from_schema_name(T::name()))).build())
}
