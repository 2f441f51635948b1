//! Invokes the functions with every event in `events/`, as `sam local invoke` would, and compares
//! the responses with the expected ones beside them.
//!
//! `cargo xtask events --record` writes the expected responses.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::{Timestamp, ToSpan as _};
use quamina::Quamina;
use serde_json::{Value, json};
use storefront_cloud::LocalCloud;
use storefront_core::MailToken;
use storefront_template::{StreamMapping, Template};
use storefront_testing::evidence;
use uuid::Uuid;

use crate::client::{in_memory, template};

/// The prefix of the ids in the seed, which are always the same.
const SEEDED: &str = "01930000-";

/// The number of the seed's order.
const SEEDED_NUMBER: &str = "278C-S300-00G1";

#[tokio::test]
async fn every_event_has_its_expected_response() {
    let functions = by_binary();
    let (mut cases, mut wrong) = (0, Vec::new());
    for (binary, path) in cases_of(functions.keys()) {
        cases += 1;
        let answer = answer(&functions[&binary], &path).await;
        let answer = serde_json::to_string_pretty(&answer).unwrap() + "\n";
        let expected = path.with_extension("expected.json");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, answer).unwrap();
        } else if fs::read_to_string(&expected).ok().as_ref() != Some(&answer) {
            wrong.push(format!("{} is not\n{answer}", expected.display()));
        }
    }
    assert!(cases > 0, "{cases} cases");
    assert!(
        wrong.is_empty(),
        "{}\nIf these responses are right: cargo xtask events --record",
        wrong.join("\n")
    );
}

#[test]
fn every_function_has_an_event_and_every_response_belongs_to_one() {
    let functions = by_binary();
    for binary in functions.keys() {
        assert!(
            !cases_of([binary]).is_empty(),
            "{binary} has no event: write events/{binary}/NAME.json, then cargo xtask events --record"
        );
        for path in files_of(binary) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if let Some(case) = name.strip_suffix(".expected.json") {
                let event = path.with_file_name(format!("{case}.json"));
                assert!(event.exists(), "{} has no event", path.display());
            }
        }
    }
}

/// The events of `events/` go to the function directly. On AWS the mapping's filter comes first.
#[test]
fn each_stream_filter_lets_through_what_its_consumer_publishes() {
    let template = Template::read(template()).unwrap();
    let functions = template.functions().unwrap();
    for mapping in template.stream_mappings().unwrap() {
        let cases = cases_of([&functions[&mapping.function].binary]);
        lets_through_what_is_published(&mapping, cases);
    }
}

fn lets_through_what_is_published(mapping: &StreamMapping, cases: Vec<(String, PathBuf)>) {
    let mut filter = Quamina::new();
    for pattern in &mapping.filters {
        filter.add_pattern((), pattern).unwrap();
    }
    for (_, path) in cases {
        let read =
            |path: &Path| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
        let event = read(&path);
        let passes =
            |record: &&Value| filter.has_matches(record.to_string().as_bytes()).unwrap_or(true);
        let passed = event["Records"].as_array().unwrap().iter().filter(passes).count();
        // A case without an answer is the other test's.
        let expected = path.with_extension("expected.json");
        if !expected.exists() {
            continue;
        }
        let published = read(&expected)["published"].as_array().unwrap().len();
        assert!(
            passed >= published,
            "{}: records published: {published}; records that pass the FilterCriteria of {} in \
             template.yaml: {passed}; add a Pattern",
            path.display(),
            mapping.function
        );
    }
}

/// Returns the response of a new local cloud, so that no case depends on another.
async fn answer(logical_id: &str, path: &Path) -> Value {
    let cloud = LocalCloud::start(in_memory()).await.unwrap();
    let event = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    evidence::payload(&event);
    let mut answer = cloud.invoke(logical_id, &event).await.unwrap();
    evidence::payload(&answer);
    // If the body is JSON, store it readably.
    let body = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok());
    if let Some(body) = body {
        answer["body"] = body;
    }
    if event.get("Records").is_some() {
        let published = cloud.events().into_iter().map(|event| event["detail"].clone());
        answer = json!({ "answer": answer, "published": published.collect::<Vec<_>>() });
    }
    if event["Records"][0]["eventSource"] == "aws:sqs" {
        let mails = cloud.mails().into_iter();
        answer["mails"] =
            mails.map(|mail| json!({ "to": mail["to"], "text": without_token(&mail) })).collect();
    }
    cloud.shutdown().await;
    // Nothing of an event with records is made anew.
    if event.get("Records").is_some() { answer } else { redacted(answer) }
}

/// The text of a mail, with a placeholder for the token of one about an account.
fn without_token(mail: &Value) -> String {
    let is_token = |word: &str| {
        let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        word.len() == MailToken::LENGTH && word.bytes().all(is_of_token)
    };
    let text = mail["text"].as_str().unwrap();
    match text.split_ascii_whitespace().find(|word| is_token(word)) {
        Some(token) => text.replace(token, "<token>"),
        None => text.to_owned(),
    }
}

/// Replaces values that differ each time with placeholders.
fn redacted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let redacted = |(name, value): (String, Value)| match (&*name, value) {
                ("accessToken" | "refreshToken", Value::String(_)) => (name, "<token>".into()),
                // Of an order that was placed just now; those of the seed are always the same.
                ("number", Value::String(number)) if number != SEEDED_NUMBER => {
                    (name, "<number>".into())
                }
                ("payBy", Value::String(_)) => (name, "<later>".into()),
                ("content-length", _) => (name, "<length>".into()),
                (_, value) => (name, redacted(value)),
            };
            Value::Object(members.into_iter().map(redacted).collect())
        }
        Value::Array(values) => values.into_iter().map(redacted).collect(),
        Value::String(text) => Value::String(redacted_text(&text)),
        other => other,
    }
}

fn redacted_text(text: &str) -> String {
    let recently = Timestamp::now() - 5.minutes();
    if text.parse::<Timestamp>().is_ok_and(|time| time > recently && time <= Timestamp::now()) {
        return "<now>".to_owned();
    }
    let redacted = |part: &str| {
        let is_id = part.len() == 36 && Uuid::parse_str(part).is_ok();
        if is_id && !part.starts_with(SEEDED) { "<uuid>".to_owned() } else { part.to_owned() }
    };
    text.split('/').map(redacted).collect::<Vec<_>>().join("/")
}

/// Returns the logical ids of the template's functions, by binary.
fn by_binary() -> BTreeMap<String, String> {
    let functions = Template::read(template()).unwrap().functions().unwrap().into_values();
    functions.map(|function| (function.binary, function.logical_id)).collect()
}

fn cases_of<'a>(binaries: impl IntoIterator<Item = &'a String>) -> Vec<(String, PathBuf)> {
    let mut cases = Vec::new();
    for binary in binaries {
        let files = files_of(binary).into_iter();
        let events = files.filter(|path| !path.to_str().unwrap().ends_with(".expected.json"));
        cases.extend(events.map(|path| (binary.clone(), path)));
    }
    cases
}

/// Returns no files if a function has no folder, so that only one test fails for it.
fn files_of(binary: &str) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(template().with_file_name("events").join(binary)) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
}
