//! The functions, called as Lambda calls them.

use lambda_runtime::Context;
use serde_json::Value;
use storefront_suite::{Function, Kind, functions};
use tokio::runtime::{Builder, Runtime};

use crate::aws::{self, Asked, Log};

/// The suite's functions over one table. Nothing that comes in is kept.
pub struct Functions {
    runtime: Runtime,
    functions: Vec<Function>,
    log: Log,
}

/// What an API function answered, and what it asked of DynamoDB meanwhile.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    /// The body; null when there is none.
    pub body: Value,
    pub asked: Vec<Asked>,
}

impl Default for Functions {
    fn default() -> Self {
        let (dependencies, log) = aws::dependencies();
        Self { runtime: runtime(), functions: functions(&dependencies), log }
    }
}

impl Functions {
    /// Any of the API functions.
    pub fn api(&self, choice: u8) -> &Function {
        let is_api = |function: &&Function| matches!(function.kind, Kind::Api { .. });
        let apis: Vec<_> = self.functions.iter().filter(is_api).collect();
        apis[usize::from(choice) % apis.len()]
    }

    /// The function of this name.
    pub fn named(&self, name: &str) -> &Function {
        self.functions.iter().find(|function| function.name == name).expect("a function")
    }

    /// Sends an event to every function, except where it would hash passwords, which is slow on
    /// purpose.
    pub fn send_to_all(&self, event: &str) {
        for function in &self.functions {
            let hashes = ["auth", "users"].contains(&function.name) && event.contains("assword");
            if !hashes {
                self.send(function, event);
            }
        }
    }

    /// Sends an event, which may be none of this function's: then it fails. Whatever a client can do
    /// to an event, an API function does not.
    pub fn send(&self, function: &Function, event: &str) -> Option<Answer> {
        let answering = function.handler().call(event.as_bytes().to_vec(), Context::default());
        let answer = self.runtime.block_on(answering);
        let asked = self.log.take();
        let answer = serde_json::from_slice(&answer.ok()?).expect("an answer is JSON");
        matches!(function.kind, Kind::Api { .. }).then(|| Answer::checked(&answer, asked))
    }
}

impl Answer {
    /// Every answer is one that the contract knows.
    fn checked(answer: &Value, asked: Vec<Asked>) -> Self {
        let status = answer["statusCode"].as_u64().expect("a status");
        let header = |name| answer["headers"][name].as_str();
        assert!(header("x-request-id").is_some(), "no request id: {answer}");
        // AWS always answers here, and a panic ends the process: nothing may be the server's fault.
        assert!((200..500).contains(&status), "{answer}");
        let body = match answer["body"].as_str() {
            None | Some("") => Value::Null,
            Some(text) => serde_json::from_str(text).expect("a body of JSON"),
        };
        if status >= 400 {
            assert_eq!(header("content-type"), Some("application/problem+json"), "{answer}");
            assert_eq!(body["status"], status, "{answer}");
        }
        Self { status, body, asked }
    }

    /// The problem's code.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The one request of this action, if there was one.
    pub fn asked(&self, action: &str) -> Option<&Value> {
        self.asked.iter().find(|asked| asked.action == action).map(|asked| &asked.body)
    }
}

/// Runs what needs a runtime on this thread.
pub fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}
