//! The evidence that the tests leave for the [audit](crate::audit) if `STOREFRONT_TEST_LOGS` is
//! set: everything that they log, and the secrets that they use.
//!
//! The harnesses take care of it: whatever starts a database or calls a function calls [`start`],
//! and whatever sends or receives HTTP records the secrets in it, which also starts the recording.

pub mod files;

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::log;
use files::{Kind, Recorder};

/// The fields of bodies that contain secrets.
const SECRET_FIELDS: [(&str, Kind); 6] = [
    ("password", Kind::Password),
    ("currentPassword", Kind::Password),
    ("accessToken", Kind::AccessToken),
    ("refreshToken", Kind::RefreshToken),
    ("token", Kind::MailToken),
    ("email", Kind::Email),
];

/// Starts recording the evidence of this process, if `STOREFRONT_TEST_LOGS` is set.
pub fn start() {
    recorder();
}

fn recorder() -> Option<&'static Recorder> {
    let recorder = Recorder::of_this_process();
    if recorder.is_some() {
        log::install();
    }
    recorder
}

/// Records a secret that the test uses.
fn secret(kind: Kind, value: &str) {
    if let Some(recorder) = recorder() {
        recorder.secret(kind, value).expect("evidence can be written");
    }
}

/// Records an email.
pub fn email(value: &str) {
    secret(Kind::Email, value);
}

/// Records the token of a mail.
pub fn mail_token(value: &str) {
    secret(Kind::MailToken, value);
}

/// Records a password.
pub fn password(value: &str) {
    secret(Kind::Password, value);
}

/// Records a password hash.
pub fn password_hash(value: &str) {
    secret(Kind::PasswordHash, value);
}

/// Records a secret that signs tokens.
pub fn token_secret(value: &str) {
    secret(Kind::TokenSecret, value);
}

/// Records the secrets in a body, which may be invalid JSON.
pub fn body(text: &str) {
    if recorder().is_some() {
        for (kind, value) in secrets_in(text) {
            secret(kind, &value);
        }
    }
}

/// Records the secrets in an Authorization header.
pub fn authorization(value: &str) {
    for token in value.split([' ', ',']) {
        if !["bearer", "basic"].iter().any(|scheme| token.eq_ignore_ascii_case(scheme)) {
            secret(Kind::AccessToken, token);
        }
    }
}

/// Records the secrets in the query of a URL.
pub fn query(query: &str) {
    let parameters = form_urlencoded::parse(query.as_bytes());
    for (_, email) in parameters.filter(|(name, _)| name == "email") {
        secret(Kind::Email, &email);
    }
}

/// Records the secrets in a function's event or response.
pub fn payload(payload: &Value) {
    if recorder().is_none() {
        return;
    }
    for (name, value) in payload["headers"].as_object().into_iter().flatten() {
        if name.eq_ignore_ascii_case("authorization") {
            authorization(value.as_str().unwrap_or_default());
        }
    }
    for source in payload["identitySource"].as_array().into_iter().flatten() {
        authorization(source.as_str().unwrap_or_default());
    }
    query(payload["rawQueryString"].as_str().unwrap_or_default());
    let text = payload["body"].as_str().unwrap_or_default();
    let decoded = (payload["isBase64Encoded"] == true).then(|| STANDARD.decode(text).ok());
    match decoded.flatten() {
        Some(bytes) => body(&String::from_utf8_lossy(&bytes)),
        None => body(text),
    }
}

/// Records a line that a spawned program printed.
pub fn output(line: &str) {
    if let Some(recorder) = recorder() {
        recorder.log(format!("{line}\n").as_bytes()).expect("evidence can be written");
    }
}

/// Where a spawned program prints output that its test does not read: the log, or `otherwise` if no
/// evidence is recorded.
pub fn stdio(otherwise: fn() -> Stdio) -> Stdio {
    recorder().map_or_else(otherwise, |recorder| {
        recorder.log_file().expect("evidence can be written").into()
    })
}

/// Returns the values of the secret fields: strings, also within a list, also in truncated JSON.
fn secrets_in(text: &str) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    for (field, kind) in SECRET_FIELDS {
        for (_, rest) in text
            .match_indices(&format!("\"{field}\""))
            .map(|(at, name)| text.split_at(at + name.len()))
        {
            let value = rest.trim_start().strip_prefix(':').map(str::trim_start);
            let value = value.map(|value| value.trim_start_matches(['[', ' ']));
            if let Some(value) = value.and_then(|value| value.strip_prefix('"')) {
                found.push((kind, unquoted(value)));
            }
        }
    }
    found
}

/// Decodes the JSON string whose opening quote precedes this text.
fn unquoted(text: &str) -> String {
    let mut escaped = false;
    let end = text.find(|character| {
        let is_end = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        is_end
    });
    let raw = &text[..end.unwrap_or(text.len())];
    serde_json::from_str(&format!("\"{raw}\"")).unwrap_or_else(|_| raw.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secrets_of_a_body_are_found_even_in_invalid_json() {
        for (text, expected) in [
            (r#"{"password":"one","name":"x"}"#, vec![(Kind::Password, "one")]),
            (r#"{"email" : ["a@b.example"]}"#, vec![(Kind::Email, "a@b.example")]),
            (r#"{"email":"a\"@b.example","#, vec![(Kind::Email, "a\"@b.example")]),
            (r#"{"currentPassword":"cut"#, vec![(Kind::Password, "cut")]),
            (r#"{"password":null,"role":"password"}"#, vec![]),
        ] {
            let found = secrets_in(text);
            let found: Vec<_> = found.iter().map(|(kind, value)| (*kind, &**value)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
