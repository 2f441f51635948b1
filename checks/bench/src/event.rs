//! What the functions are asked: the events of `events/`, changed where a measurement needs it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::Error;

/// Stands in an event for a number that is another one each time.
const NUMBER: &str = "<number>";

/// A product of the seed that never runs out.
const ENDLESS_PRODUCT: &str = "01930000-0000-7000-8000-000000000120";

/// What is asked, by the name that the report gives it.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// The function that the suite has for it.
    pub(crate) function: &'static str,
    pub(crate) name: &'static str,
    /// Whether the floor and Node do the same, with the same requests to DynamoDB.
    pub(crate) comparable: bool,
    /// How many warm invocations a round makes: fewer where each hashes a password.
    pub(crate) warm: u32,
    pub(crate) expected: Expected,
    event: String,
}

/// What tells a good answer from a bad one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    Status(u16),
    Authorized,
    NoFailures,
}

impl Operation {
    /// The event, as the `number`th time.
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
        }
    }
}

/// The event of `root/events` for a case, such as `orders/place`.
pub(crate) fn read(root: &Path, case: &str) -> Result<Value, Error> {
    let path = root.join("events").join(case).with_extension("json");
    let text = fs::read(&path).map_err(Error::file(&path))?;
    serde_json::from_slice(&text).map_err(|error| Error::file(path)(error.into()))
}

/// Everything that is measured, read from `root/events`.
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
        other("orders", "place order", &place, 50, created),
        other("auth", "log in", &read("auth/log-in")?, 5, created),
        other("auth", "register", &register, 5, created),
        other("authorizer", "authorize", &read("authorizer/valid")?, 50, Expected::Authorized),
        other(
            "order-status-stream",
            "publish 2 changes",
            &read("order-status-stream/status-change")?,
            50,
            Expected::NoFailures,
        ),
    ])
}

/// What hello world is asked; it looks at nothing of it.
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
    use storefront_template::Template;

    use super::*;

    fn root() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    #[test]
    fn every_function_of_the_template_is_measured() {
        let operations = operations(&root()).unwrap();
        let functions = Template::read(root().join("template.yaml")).unwrap().functions().unwrap();
        for function in functions.into_values() {
            let is_its = |operation: &Operation| operation.function == function.binary;
            assert!(operations.iter().any(is_its), "{}", function.binary);
        }
    }

    #[test]
    fn what_must_be_another_one_each_time_is() {
        let operations = operations(&root()).unwrap();
        assert!(operations.iter().all(|operation| !operation.event(1).contains(NUMBER)));
        let is_other = |operation: &&Operation| operation.event(1) != operation.event(2);
        let others: Vec<_> = operations.iter().filter(is_other).map(|other| other.name).collect();
        assert_eq!(others, ["place order", "register"]);
    }

    #[test]
    fn an_answer_that_is_not_the_expected_one_is_none() {
        let ok = json!({ "statusCode": 200 });
        assert!(Expected::Status(200).is_met_by(&ok));
        assert!(!Expected::Status(201).is_met_by(&ok));
        assert!(!Expected::Authorized.is_met_by(&json!({ "isAuthorized": false })));
        assert!(Expected::NoFailures.is_met_by(&json!({ "batchItemFailures": [] })));
        assert!(!Expected::NoFailures.is_met_by(&json!({})));
    }
}
