//! A change is conditional on the version in `If-Match`, or nothing is changed.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use storefront_fuzz::functions::Functions;
use storefront_fuzz::request::{Header, ID, Id, Method, Path, Request};

#[derive(Arbitrary, Debug)]
enum Tag {
    Text(String),
    Version(u64),
    Weak(u64),
    Quoted(String),
    /// A number in a notation that an `ETag` of the shop never has.
    Odd(Sign, u8),
}

#[derive(Arbitrary, Debug)]
enum Sign {
    Plus,
    Minus,
    Zero,
    Space,
}

thread_local!(static FUNCTIONS: Functions = Functions::default());

fuzz_target!(|tag: Tag| {
    let tag = match tag {
        Tag::Text(text) => text,
        Tag::Version(version) => format!("\"{version}\""),
        Tag::Weak(version) => format!("W/\"{version}\""),
        Tag::Quoted(text) => format!("\"{text}\""),
        Tag::Odd(Sign::Plus, version) => format!("\"+{version}\""),
        Tag::Odd(Sign::Minus, version) => format!("\"-{version}\""),
        Tag::Odd(Sign::Zero, version) => format!("\"0{version}\""),
        Tag::Odd(Sign::Space, version) => format!("\" {version}\""),
    };
    let mut request =
        Request::new(Method::Patch, Path::Product(Id::Known), json!({ "name": "Tea" }));
    request.headers.push((Header::IfMatch, tag.clone()));
    let event = request.event().to_string();
    let answer = FUNCTIONS
        .with(|functions| functions.send(functions.named("products"), &event))
        .expect("an event");
    let change =
        answer.request("TransactWriteItems").map(|request| &request["TransactItems"][0]["Update"]);

    // Characters that a header cannot have make the tag invalid, even if trimming would remove
    // them.
    let is_text = tag.chars().all(|char| matches!(char, '\t' | ' '..='~'));
    let tag = if is_text { tag.trim() } else { "" };
    let version = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    // What follows a dot is the product's stock, which is no reason to refuse a change.
    let version = version.map(|text| text.split_once('.').map_or(text, |(version, _)| version));
    let version = version.filter(|_| !tag[1..tag.len() - 1].contains('"'));
    let version =
        version.and_then(|text| text.parse::<u64>().ok().filter(|v| v.to_string() == text));
    match version {
        Some(version) => {
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(expected_version(change.expect("a change")), Some(version.to_string()));
        }
        None if tag == "*" => {
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(expected_version(change.expect("a change")), None);
        }
        // An entity tag that the shop never issues becomes a version that no item has.
        None if answer.status == 200 => {
            assert_eq!(expected_version(change.expect("a change")), Some("0".to_owned()));
        }
        None => {
            let codes = ["invalid_header", "malformed_request", "version_mismatch"];
            assert!(codes.contains(&answer.code()), "{tag:?}: {answer:?}");
            assert!(change.is_none(), "{tag:?}: {answer:?}");
        }
    }
});

/// The version in the update's condition.
fn expected_version(update: &Value) -> Option<String> {
    assert_eq!(update["Key"]["PK"]["S"], format!("PRODUCT#{ID}"));
    let condition = update["ConditionExpression"].as_str().expect("a condition");
    let names = update["ExpressionAttributeNames"].as_object();
    let name = names.into_iter().flatten().find(|(_, name)| *name == "version");
    let name = name.map_or("version", |(alias, _)| alias);
    let placeholder = condition.split(" AND ").find_map(|term| {
        let (left, right) = term.trim_matches(['(', ')']).split_once(" = ")?;
        (left == name).then_some(right)
    })?;
    Some(update["ExpressionAttributeValues"][placeholder]["N"].as_str()?.to_owned())
}
