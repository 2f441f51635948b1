//! Calls the functions as Lambda does.

use lambda_runtime::Context;
use serde_json::Value;
use storefront_suite::{Function, Kind, functions};
use tokio::runtime::{Builder, Runtime};

use crate::aws::{self, AwsRequest, Log};

/// The suite's functions over one table, which stores nothing.
pub struct Functions {
    runtime: Runtime,
    functions: Vec<Function>,
    log: Log,
}

/// The response of an API function, and the requests that it sent to AWS.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    /// The body; null if there is none.
    pub body: Value,
    pub requests: Vec<AwsRequest>,
}

impl Default for Functions {
    fn default() -> Self {
        let (dependencies, log) = aws::dependencies();
        Self { runtime: runtime(), functions: functions(&dependencies), log }
    }
}

impl Functions {
    /// Returns one of the API functions.
    pub fn api(&self, choice: u8) -> &Function {
        let is_api = |function: &&Function| matches!(function.kind, Kind::Api { .. });
        let apis: Vec<_> = self.functions.iter().filter(is_api).collect();
        apis[usize::from(choice) % apis.len()]
    }

    /// Returns the function with this name.
    pub fn named(&self, name: &str) -> &Function {
        self.functions.iter().find(|function| function.name == name).expect("a function")
    }

    /// Sends an event to every function, except those that would hash a password, which is
    /// deliberately slow.
    pub fn send_to_all(&self, event: &str) {
        for function in &self.functions {
            let hashes = ["auth", "users"].contains(&function.name) && event.contains("assword");
            if !hashes {
                self.send(function, event);
            }
        }
    }

    /// Sends an event to a function. `None` if the function fails, because the event is not one of
    /// its own. An API function never fails because of the parts that a client controls.
    pub fn send(&self, function: &Function, event: &str) -> Option<Answer> {
        let answering = function.handler().call(event.as_bytes().to_vec(), Context::default());
        let answer = self.runtime.block_on(answering);
        let requests = self.log.take();
        let answer = serde_json::from_slice(&answer.ok()?).expect("an answer is JSON");
        matches!(function.kind, Kind::Api { .. }).then(|| Answer::checked(&answer, requests))
    }
}

impl Answer {
    /// Checks that the response is one that the contract allows.
    fn checked(answer: &Value, requests: Vec<AwsRequest>) -> Self {
        let status = answer["statusCode"].as_u64().expect("a status");
        let header = |name| answer["headers"][name].as_str();
        assert!(header("x-request-id").is_some(), "no request id: {answer}");
        // The fake AWS always answers and a panic ends the process, so nothing justifies a 5xx.
        assert!((200..500).contains(&status), "{answer}");
        let body = match answer["body"].as_str() {
            None | Some("") => Value::Null,
            Some(text) => serde_json::from_str(text).expect("a JSON body"),
        };
        if status >= 400 {
            assert_eq!(header("content-type"), Some("application/problem+json"), "{answer}");
            assert_eq!(body["status"], status, "{answer}");
        }
        Self { status, body, requests }
    }

    /// The problem's code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The first request with this action, if any.
    pub fn request(&self, action: &str) -> Option<&Value> {
        self.requests.iter().find(|request| request.action == action).map(|request| &request.body)
    }
}

/// Builds a runtime for this thread.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}
