//! Which bodies are accepted.

use crate::{anna, start};

#[tokio::test]
async fn a_body_that_is_not_json_is_400() {
    let (api, _database) = start().await;
    for body in [
        "",
        "{",
        "{}}",
        "[][",
        "email=anna@example.com",
        r#"{"email":"\ud800"}"#,
        "{\"email\":\"anna\0@example.com\"}",
        "{\"name\":\"\u{1}\"}",
        &"[".repeat(200_000),
    ] {
        let answer = api.post("/users").text("application/json", body).send().await;
        let _ = answer.problem(400, "malformed_body");
    }
    let body = b"{\"name\":\"\xff\xfe\"}";
    let answer = api.post("/users").bytes("application/json", body).send().await;
    let _ = answer.problem(400, "malformed_body");
}

#[tokio::test]
async fn deep_nesting_does_no_harm() {
    let (api, _database) = start().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in [deep.clone(), format!(r#"{{"email":{deep}}}"#), format!(r#"{{"x":{deep}}}"#)] {
        let answer = api.post("/users").text("application/json", &body).send().await;
        let _ = answer.problem(422, "invalid_body");
    }
}

#[tokio::test]
async fn only_json_is_accepted() {
    let (api, _database) = start().await;
    let body = anna().to_string();
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""]
    {
        let answer = api.post("/users").text(content_type, &body).send().await;
        let _ = answer.problem(415, "unsupported_media_type");
    }
    let _ = api.post("/users").send().await.problem(415, "unsupported_media_type");
    let charset = "Application/JSON; charset=utf-8";
    let _ = api.post("/users").text(charset, &body).send().await.expect(201);
}

#[tokio::test]
async fn a_body_encoded_by_the_gateway_is_read_too() {
    let (api, _database) = start().await;
    let body = anna().to_string();
    let answer = api.post("/users").bytes("application/json", body.as_bytes()).send().await;
    let _ = answer.expect(201);
}

#[tokio::test]
async fn bodies_over_256_kb_are_413() {
    let (api, _database) = start().await;
    let padded = |length: usize| {
        let body = anna().to_string();
        format!("{body}{}", " ".repeat(length - body.len()))
    };
    let too_large = padded(256 * 1024 + 1);
    let answer = api.post("/users").text("application/json", &too_large).send().await;
    let _ = answer.problem(413, "body_too_large");
    let answer = api.post("/users").text("application/json", &padded(256 * 1024)).send().await;
    let _ = answer.expect(201);
}
