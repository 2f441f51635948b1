//! The API functions, called as Lambda calls them.

use axum::Router;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::Value;
use serde_json::value::RawValue;
use storefront_credentials::SigningKeys;
use tokio::runtime::{Builder, Runtime};

use crate::aws::{self, Asked, Log};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, arbitrary::Arbitrary)]
pub enum Function {
    Auth,
    Users,
    Products,
    Orders,
}

impl Function {
    pub const ALL: [Self; 4] = [Self::Auth, Self::Users, Self::Products, Self::Orders];
}

/// The API functions over one table. Nothing that comes in is kept.
pub struct Api {
    runtime: Runtime,
    functions: [Router; 4],
    log: Log,
}

/// What a function answered, and what it asked of DynamoDB meanwhile.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    /// The body; null when there is none.
    pub body: Value,
    pub asked: Vec<Asked>,
}

impl Default for Api {
    fn default() -> Self {
        let (table, log) = aws::table();
        let keys = SigningKeys::fixed("of fuzz targets, 32 bytes or more").unwrap();
        Self {
            runtime: runtime(),
            functions: [
                storefront_auth::app(table.clone(), keys),
                storefront_users::app(table.clone()),
                storefront_products::app(table.clone()),
                storefront_orders::app(table),
            ],
            log,
        }
    }
}

impl Api {
    /// Sends an event, which may be none of an HTTP API: then the function fails. Whatever a client
    /// can do to an event, it does not.
    pub fn send(&self, function: Function, event: String) -> Option<Answer> {
        let event = RawValue::from_string(event).ok()?;
        let service = self.functions[function as usize].clone();
        let answering =
            storefront_http::answer(service, LambdaEvent::new(event, Context::default()));
        let answer = self.runtime.block_on(answering).ok()?;
        let answer = serde_json::to_value(answer).expect("an answer is JSON");
        Some(Answer::checked(&answer, self.log.take()))
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
