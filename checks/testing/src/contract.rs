//! Whether an answer is one that the function's OpenAPI document has.
//!
//! Every test that calls a function goes through here, so whatever the tests can make a function
//! answer, failures of DynamoDB and lost races included, is in the contract or fails them. The
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

/// What a function says that it answers.
#[derive(Clone, Copy)]
pub(crate) struct Contract(pub(crate) Document);

/// What only the gateway adds.
const OF_THE_GATEWAY: &str = "Apigw-Requestid";

/// What the document leaves to HTTP.
const OF_HTTP: [&str; 3] = ["allow", "content-length", "content-type"];

/// An answer of a function to a request of this method and path.
pub(crate) struct Answered<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) status: i64,
    pub(crate) headers: &'a HeaderMap,
    /// Null when there is none.
    pub(crate) body: &'a Value,
}

impl Contract {
    /// Fails the test unless the document has this answer: the status for this operation, its
    /// content type, its headers, and a body of its schema, with one of the codes that it lists.
    #[track_caller]
    pub(crate) fn check(self, answered: &Answered<'_>) {
        let violations = violations(&self.document(), answered);
        assert!(
            violations.is_empty(),
            "{} {} answered {} with {}, which the function's annotations do not have: \
             {violations:#?}",
            answered.method,
            answered.path,
            answered.status,
            answered.body,
        );
    }

    /// The document, which is built once: a test program sends thousands of requests.
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
        return beyond_the_routes(&schemas, answered);
    };
    let Some(response) = operation["responses"].get(answered.status.to_string()) else {
        return vec![format!("the operation has no status {}", answered.status)];
    };
    let response = schemas.resolve(response);
    let mut found = of_headers(&schemas, &response["headers"], answered.headers);
    found.extend(of_body(&schemas, &response["content"], answered));
    found
}

/// No route of the gateway leads there, but somebody who calls a function directly gets an answer.
fn beyond_the_routes(schemas: &Schemas<'_>, answered: &Answered<'_>) -> Vec<String> {
    let code = answered.body["code"].as_str();
    if !matches!(code, Some("route_not_found" | "method_not_allowed")) {
        return vec!["there is no such operation".to_owned()];
    }
    schemas.violations(&schemas.document["components"]["schemas"]["Problem"], answered.body)
}

fn of_headers(schemas: &Schemas<'_>, documented: &Value, headers: &HeaderMap) -> Vec<String> {
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
            // `required` is for clients, to whom the gateway may answer in the function's place.
            None if name != OF_THE_GATEWAY => found.push(format!("the header {name} is missing")),
            None => {}
        }
    }
    for name in headers.keys().map(http::HeaderName::as_str) {
        let is_documented = documented.keys().any(|other| other.eq_ignore_ascii_case(name));
        if !is_documented && !OF_HTTP.contains(&name) {
            found.push(format!("the header {name} is not documented"));
        }
    }
    found
}

fn of_body(schemas: &Schemas<'_>, documented: &Value, answered: &Answered<'_>) -> Vec<String> {
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

/// No two templates take the same path, so the first is the one.
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
