//! Whether each answer is its event's, and no other's.

use std::collections::HashSet;

use serde_json::Value;

use crate::error::Failure;
use crate::event::{Operation, Repeated};
use crate::runtime_api::Answer;

/// The event with a request id of its own, which the answer repeats.
pub(super) fn identified(event: &str, number: u64) -> String {
    let mut event: Value = serde_json::from_str(event).unwrap_or_default();
    event["requestContext"]["requestId"] = format!("bench-{number}").into();
    event.to_string()
}

/// Fails at the first answer that is not a good one for its event.
pub(super) fn verify(
    operation: &Operation,
    events: &[String],
    answers: &[Answer],
) -> Result<(), Failure> {
    let mut ids = HashSet::new();
    let mut first = None;
    for (event, answer) in events.iter().zip(answers) {
        let event: Value = serde_json::from_str(event).unwrap_or_default();
        let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        // The authorizer's answers have no headers.
        let request_id = value["headers"].get("x-request-id");
        let is_its =
            request_id.is_none_or(|request_id| *request_id == event["requestContext"]["requestId"]);
        let body = value["body"].as_str().unwrap_or_default().to_owned();
        let is_right = match operation.repeated {
            Repeated::Same => *first.get_or_insert_with(|| body.clone()) == body,
            Repeated::OtherId => {
                let body: Value = serde_json::from_str(&body).unwrap_or_default();
                body["id"].as_str().is_some_and(|id| ids.insert(id.to_owned()))
            }
            Repeated::Anything => true,
        };
        if !(is_its && is_right && operation.expected.is_met_by(&value)) {
            return Err(Failure::Unexpected(format!("{value} to {event}")));
        }
    }
    if events.len() == answers.len() { Ok(()) } else { Err(Failure::NotReady) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::event::operations;

    fn operation(name: &str) -> Operation {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        operations(&root).unwrap().into_iter().find(|operation| operation.name == name).unwrap()
    }

    /// Answers of this status, each with a request's id and a body.
    fn is_good(name: &str, status: u16, answers: [(&str, Value); 2]) -> bool {
        let operation = operation(name);
        let events = [1, 2].map(|number| identified(&operation.event(number), number));
        let answers = answers.map(|(request_id, body)| Answer {
            duration: Duration::from_millis(1),
            body: json!({
                "statusCode": status,
                "headers": { "x-request-id": request_id },
                "body": body.to_string(),
            })
            .to_string()
            .into(),
        });
        verify(&operation, &events, &answers).is_ok()
    }

    #[test]
    fn what_is_read_is_the_same_each_time_and_answers_its_own_request() {
        let [ada, grace] = ["Ada", "Grace"].map(|name| json!({ "name": name }));
        let good = [("bench-1", ada.clone()), ("bench-2", ada.clone())];
        let swapped = [("bench-2", ada.clone()), ("bench-1", ada.clone())];
        let mixed = [("bench-1", ada), ("bench-2", grace)];
        assert!(is_good("get user", 200, good.clone()));
        assert!(!is_good("get user", 404, good));
        assert!(!is_good("get user", 200, swapped));
        assert!(!is_good("get user", 200, mixed));
    }

    #[test]
    fn each_order_that_is_placed_is_another_one() {
        let order = |id: &str| json!({ "id": id });
        let good = [("bench-1", order("a")), ("bench-2", order("b"))];
        let twice = [("bench-1", order("a")), ("bench-2", order("a"))];
        let none = [("bench-1", order("a")), ("bench-2", json!({}))];
        assert!(is_good("place order", 201, good));
        assert!(!is_good("place order", 201, twice));
        assert!(!is_good("place order", 201, none));
    }

    #[test]
    fn an_event_without_an_answer_is_noticed() {
        let operation = operation("log in");
        assert!(verify(&operation, &[operation.event(1)], &[]).is_err());
    }
}
