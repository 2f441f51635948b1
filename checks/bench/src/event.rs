//! The events that functions are measured with: those of `events/`, adapted where necessary.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::Error;

/// A placeholder in an event for a number that differs each time.
const NUMBER: &str = "<number>";

/// A product of the seed that never runs out.
const ENDLESS_PRODUCT: &str = "01930000-0000-7000-8000-000000000120";

/// How the ids of events of the seed's order begin.
const EVENTS_OF_ORDER: &str = "01930000-0000-7000-8000-000000000201:";

/// An operation of a function, and the event that requests it.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// The function of the suite that does it.
    pub(crate) function: &'static str,
    /// The name in reports.
    pub(crate) name: &'static str,
    /// Whether the floor and Node do the same, with the same requests to DynamoDB.
    pub(crate) comparable: bool,
    /// The number of warm invocations per round; fewer if each hashes a password.
    pub(crate) warm: u32,
    pub(crate) expected: Expected,
    event: String,
}

/// The criterion for a correct answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    Status(u16),
    Authorized,
    NoFailures,
    /// A run of the expiry that had nothing to do.
    NothingOverdue,
}

impl Operation {
    /// The event with this number.
    pub(crate) fn event(&self, number: u64) -> String {
        self.event.replace(NUMBER, &number.to_string())
    }
}

impl Expected {
    pub(crate) fn is_met_by(self, answer: &Value) -> bool {
        match self {
            Self::Status(status) => answer["statusCode"] == status,
            Self::Authorized => answer["isAuthorized"] == true,
            Self::NoFailures => answer["batchItemFailures"].as_array().is_some_and(Vec::is_empty),
            Self::NothingOverdue => answer["expired"] == 0 && answer["failed"] == 0,
        }
    }
}

/// Reads the event of a case, such as `orders/place`, from `root/events`.
pub(crate) fn read(root: &Path, case: &str) -> Result<Value, Error> {
    let path = root.join("events").join(case).with_extension("json");
    let text = fs::read(&path).map_err(Error::file(&path))?;
    serde_json::from_slice(&text).map_err(|error| Error::file(path)(error.into()))
}

/// All operations that are measured, with events from `root/events`.
pub(crate) fn operations(root: &Path) -> Result<Vec<Operation>, Error> {
    let read = |case| read(root, case);
    let list_25 = with_query(read("orders/list")?, "limit", "25");
    let place = with_body(
        read("orders/place")?,
        &json!({ "items": [{ "productId": ENDLESS_PRODUCT, "quantity": 1 }] }),
    );
    let place = with_header(place, "idempotency-key", &format!("bench-{NUMBER}"));
    let register = with_body(
        read("auth/register")?,
        &json!({
            "email": format!("anna-{NUMBER}@example.com"),
            "password": "correct horse battery staple",
            "name": "Anna Novak",
        }),
    );
    let ok = Expected::Status(200);
    let created = Expected::Status(201);
    Ok(vec![
        comparable("users", "get user", &read("users/read-profile")?),
        comparable("users", "find user by e-mail", &read("users/find-by-email")?),
        comparable("orders", "list 25 orders", &list_25),
        comparable("products", "get product", &read("products/read")?),
        other("products", "list products", &read("products/list")?, 50, ok),
        other("orders", "get order", &read("orders/read")?, 50, ok),
        other("orders", "list pending orders", &read("orders/list-pending")?, 50, ok),
        other("orders", "place order", &place, 50, created),
        other("auth", "log in", &read("auth/log-in")?, 5, created),
        other("auth", "register", &register, 5, created),
        other("authorizer", "authorize", &read("authorizer/valid")?, 50, Expected::Authorized),
        other(
            "order-events",
            "publish 2 changes",
            &read("order-events/status-change")?,
            50,
            Expected::NoFailures,
        ),
        other(
            "availability",
            "refresh 2 products",
            &read("availability/stock-changed")?,
            50,
            Expected::NoFailures,
        ),
        other(
            "order-expiry",
            "find nothing overdue",
            &read("order-expiry/every-minute")?,
            50,
            Expected::NothingOverdue,
        ),
        other(
            "notifications",
            "write 2 mails",
            &with_new_events(&read("notifications/paid-and-shipped")?),
            50,
            Expected::NoFailures,
        ),
    ])
}

/// The operation of hello world, which ignores its event.
pub(crate) fn hello(operations: &[Operation]) -> Operation {
    let event = operations.first().map(|operation| operation.event.clone()).unwrap_or_default();
    Operation {
        function: "hello",
        name: "answer",
        comparable: false,
        warm: 50,
        expected: Expected::Status(200),
        event,
    }
}

fn comparable(function: &'static str, name: &'static str, event: &Value) -> Operation {
    Operation { comparable: true, ..other(function, name, event, 50, Expected::Status(200)) }
}

fn other(
    function: &'static str,
    name: &'static str,
    event: &Value,
    warm: u32,
    expected: Expected,
) -> Operation {
    Operation { function, name, comparable: false, warm, expected, event: event.to_string() }
}

/// Gives each call events with new ids: the function mails once about an event, and only skips it after that.
fn with_new_events(event: &Value) -> Value {
    let text = event.to_string().replace(EVENTS_OF_ORDER, &format!("{EVENTS_OF_ORDER}{NUMBER}"));
    // Only the end of an id within a text is new.
    serde_json::from_str(&text).unwrap_or_default()
}

fn with_query(mut event: Value, name: &str, value: &str) -> Value {
    event["rawQueryString"] = format!("{name}={value}").into();
    event["queryStringParameters"] = json!({ name: value });
    event
}

fn with_header(mut event: Value, name: &str, value: &str) -> Value {
    event["headers"][name] = value.into();
    event
}

fn with_body(event: Value, body: &Value) -> Value {
    let body = body.to_string();
    let mut event = with_header(event, "content-length", &body.len().to_string());
    event["body"] = body.into();
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn only_events_that_must_differ_each_time_do() {
        let operations = operations(&root()).unwrap_or_else(|error| panic!("{error}"));
        assert!(operations.iter().all(|operation| !operation.event(1).contains(NUMBER)));
        let is_other = |operation: &&Operation| operation.event(1) != operation.event(2);
        let others: Vec<_> = operations.iter().filter(is_other).map(|other| other.name).collect();
        assert_eq!(others, ["place order", "register", "write 2 mails"]);
    }

    #[test]
    fn only_the_expected_answer_is_accepted() {
        let ok = json!({ "statusCode": 200 });
        assert!(Expected::Status(200).is_met_by(&ok));
        assert!(!Expected::Status(201).is_met_by(&ok));
        assert!(!Expected::Authorized.is_met_by(&json!({ "isAuthorized": false })));
        assert!(Expected::NoFailures.is_met_by(&json!({ "batchItemFailures": [] })));
        assert!(!Expected::NoFailures.is_met_by(&json!({})));
    }
}
