use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;

const PRODUCT: &str = "/products/01930000-0000-7000-8000-000000000101";

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pairs = [("x-request-id", "id")].iter().chain(pairs);
    pairs
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

fn product() -> Value {
    json!({
        "id": "01930000-0000-7000-8000-000000000101",
        "name": "Espresso",
        "description": null,
    })
}

fn problem(status: i64, code: &str) -> Value {
    json!({
        "type": format!("urn:storefront:problem:{code}"),
        "title": "Title",
        "status": status,
        "detail": "Detail.",
        "code": code,
    })
}

/// A document with two operations, in the form that `utoipa` writes.
fn document() -> Value {
    let problem = |status: u16, code: &str| {
        let only = json!({ "properties": {
            "code": { "enum": [code] },
            "status": { "enum": [status] },
            "type": { "enum": [format!("urn:storefront:problem:{code}")] },
        } });
        let schema = json!({ "allOf": [{ "$ref": "#/components/schemas/Problem" }, only] });
        json!({
            "headers": { "x-request-id": { "schema": { "type": "string" } } },
            "content": { "application/problem+json": { "schema": schema } },
        })
    };
    let id = json!({ "schema": { "type": "string", "pattern": "^[!-~]+$" } });
    let etag = json!({ "schema": { "type": "string", "pattern": "^\"[1-9][0-9]*\"$" } });
    json!({
        "paths": { "/products/{productId}": {
            "get": { "responses": {
                "200": {
                    "headers": { "ETag": etag, "x-request-id": id },
                    "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/Product" },
                    } },
                },
                "404": { "$ref": "#/components/responses/NotFound" },
            } },
            "delete": { "responses": { "204": { "headers": { "x-request-id": id } } } },
        } },
        "components": {
            "responses": { "NotFound": problem(404, "product_not_found") },
            "schemas": {
                "Product": {
                    "type": "object",
                    "required": ["id", "name", "description"],
                    "properties": {
                        "id": { "type": "string", "format": "uuid" },
                        "name": { "type": "string", "minLength": 1 },
                        "description": { "type": ["string", "null"] },
                    },
                },
                "Problem": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail", "code"],
                    "properties": {
                        "type": { "type": "string", "format": "uri" },
                        "title": { "type": "string" },
                        "status": { "type": "integer", "minimum": 400, "maximum": 599 },
                        "detail": { "type": "string" },
                        "code": { "type": "string" },
                    },
                },
            },
        },
    })
}

fn found(method: &str, status: i64, headers: &HeaderMap, body: &Value) -> Vec<String> {
    violations(&document(), &Answered { method, path: PRODUCT, status, headers, body })
}

#[test]
fn documented_responses_pass() {
    let json = headers(&[("content-type", "application/json"), ("etag", "\"1\"")]);
    assert_eq!(found("GET", 200, &json, &product()), [""; 0]);
    let problems = headers(&[("content-type", "application/problem+json")]);
    assert_eq!(found("GET", 404, &problems, &problem(404, "product_not_found")), [""; 0]);
    assert_eq!(found("PUT", 405, &problems, &problem(405, "method_not_allowed")), [""; 0]);
    assert_eq!(found("DELETE", 204, &headers(&[]), &Value::Null), [""; 0]);
}

#[test]
fn each_undocumented_part_of_a_response_is_found() {
    let json = headers(&[("content-type", "application/json"), ("etag", "\"1\"")]);
    let problems = headers(&[("content-type", "application/problem+json")]);
    let mut without_name = product();
    without_name.as_object_mut().unwrap().remove("name");
    let mut with_more = product();
    with_more["secret"] = "cost".into();
    let no_etag = headers(&[("content-type", "application/json")]);
    let odd_etag = headers(&[("content-type", "application/json"), ("etag", "1")]);
    let text = headers(&[("content-type", "text/plain"), ("etag", "\"1\"")]);
    let more = headers(&[("content-type", "application/problem+json"), ("x-more", "1")]);
    for (what, method, status, headers, body) in [
        ("an undocumented status", "GET", 418, &json, product()),
        ("a code of another status", "GET", 404, &problems, problem(404, "forbidden")),
        ("a code of another resource", "GET", 404, &problems, problem(404, "user_not_found")),
        ("another status in the body", "GET", 404, &problems, problem(410, "product_not_found")),
        ("a missing field", "GET", 200, &json, without_name),
        ("a field that is not documented", "GET", 200, &json, with_more),
        ("a missing header", "GET", 200, &no_etag, product()),
        ("a malformed header", "GET", 200, &odd_etag, product()),
        ("a header that is not documented", "GET", 404, &more, problem(404, "product_not_found")),
        ("an undocumented content type", "GET", 200, &text, product()),
        ("a problem sent as plain JSON", "GET", 404, &json, problem(404, "product_not_found")),
        ("an undocumented body", "DELETE", 204, &json, product()),
        ("an undocumented operation", "PUT", 200, &json, product()),
    ] {
        assert!(!found(method, status, headers, &body).is_empty(), "{what}");
    }
}
