//! Checks that a response is in the function's OpenAPI document.
//!
//! Every test that calls a function goes through here. So every response that the tests can
//! provoke, also by failures of DynamoDB and lost races, is in the contract or fails the test. The
//! document comes from the code, not from `openapi.json`: a stale file would fail every such test.

mod schema;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::HeaderMap;
use serde_json::{Map, Value};
use utoipa::openapi::OpenApi;

use self::schema::Schemas;

/// Builds a function's OpenAPI document.
pub(crate) type Document = fn() -> OpenApi;

/// The responses that a function documents.
#[derive(Clone, Copy)]
pub(crate) struct Contract(pub(crate) Document);

/// The header that only the gateway adds.
const GATEWAY_HEADER: &str = "Apigw-Requestid";

/// The headers that the document leaves to HTTP.
const HTTP_HEADERS: [&str; 3] = ["allow", "content-length", "content-type"];

/// A function's response to a request with this method and path.
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: i64,
    pub(crate) headers: &'a HeaderMap,
    /// Null if there is none.
    pub(crate) body: &'a Value,
}

impl Contract {
    /// Fails the test unless the document has this response: the status for this operation, its
    /// content type, its headers, and a body that matches its schema, with one of the listed codes.
    #[track_caller]
    pub(crate) fn check(self, answered: &Answered<'_>) {
        let violations = violations(&self.document(), answered);
        assert!(
            violations.is_empty(),
            "{} {} answered {} with {}, which the function's annotations do not document: \
             {violations:#?}",
            answered.method,
            answered.path,
            answered.status,
            answered.body,
        );
    }

    /// Returns the document. It is built once, because a test program sends thousands of requests.
    fn document(self) -> Arc<Value> {
        static BUILT: Mutex<BTreeMap<Document, Arc<Value>>> = Mutex::new(BTreeMap::new());
        let Self(doc) = self;
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || Arc::new(serde_json::to_value(doc()).expect("a document is JSON"));
        Arc::clone(built.entry(doc).or_insert_with(build))
    }
}

fn violations(document: &Value, answered: &Answered<'_>) -> Vec<String> {
    let schemas = Schemas { document };
    let Some(operation) = operation(document, answered.method, answered.path) else {
        return unrouted(&schemas, answered);
    };
    let Some(response) = operation["responses"].get(answered.status.to_string()) else {
        return vec![format!("the operation has no status {}", answered.status)];
    };
    let response = schemas.resolve(response);
    let mut found = check_headers(&schemas, &response["headers"], answered.headers);
    found.extend(check_body(&schemas, &response["content"], answered));
    found
}

/// The gateway has no route for such a request, but a direct call of the function gets a response.
fn unrouted(schemas: &Schemas<'_>, answered: &Answered<'_>) -> Vec<String> {
    let code = answered.body["code"].as_str();
    if !matches!(code, Some("route_not_found" | "method_not_allowed")) {
        return vec!["there is no such operation".to_owned()];
    }
    schemas.violations(&schemas.document["components"]["schemas"]["Problem"], answered.body)
}

fn check_headers(schemas: &Schemas<'_>, documented: &Value, headers: &HeaderMap) -> Vec<String> {
    let mut found = Vec::new();
    let none = Map::new();
    let documented = documented.as_object().unwrap_or(&none);
    for (name, header) in documented {
        match headers.get(name).map(|value| value.to_str().unwrap_or_default()) {
            Some(text) => {
                let schema = &header["schema"];
                let is_integer = schema["type"] == "integer";
                let value = text.parse().ok().filter(|_: &u64| is_integer);
                let value = value.map_or_else(|| Value::from(text), Value::from);
                let violations = schemas.violations(schema, &value);
                found.extend(violations.into_iter().map(|violation| format!("{name}{violation}")));
            }
            // Whether it is `required` does not matter: that is for clients, and the gateway may
            // answer them in place of the function.
            None if name != GATEWAY_HEADER => found.push(format!("the header {name} is missing")),
            None => {}
        }
    }
    for name in headers.keys().map(http::HeaderName::as_str) {
        let is_documented = documented.keys().any(|other| other.eq_ignore_ascii_case(name));
        if !is_documented && !HTTP_HEADERS.contains(&name) {
            found.push(format!("the header {name} is not documented"));
        }
    }
    found
}

fn check_body(schemas: &Schemas<'_>, documented: &Value, answered: &Answered<'_>) -> Vec<String> {
    let content_type = answered.headers.get(http::header::CONTENT_TYPE);
    let content_type = content_type.map(|value| value.to_str().unwrap_or_default());
    match (content_type, documented.as_object()) {
        (None, None) if answered.body.is_null() => Vec::new(),
        (Some(content_type), Some(contents)) => match contents.get(content_type) {
            Some(content) => schemas.violations(&content["schema"], answered.body),
            None => vec![format!("{content_type} is not one of its content types")],
        },
        (content_type, _) => vec![format!("content of type {content_type:?}")],
    }
}

fn operation<'a>(document: &'a Value, method: &str, path: &str) -> Option<&'a Value> {
    let paths = document["paths"].as_object()?.iter();
    let (_, item) = paths.into_iter().find(|(template, _)| is_path_of(template, path))?;
    item.get(method.to_lowercase())
}

/// No path matches two templates, so the first match is the only one.
fn is_path_of(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests;
