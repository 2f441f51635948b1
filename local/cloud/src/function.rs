//! Lambda functions in this process, invoked as on Lambda and with their timeout.

use std::time::{Duration, SystemTime};

use lambda_runtime::Context;
use serde_json::Value;
use storefront_suite::{Failed, Handler};
use uuid::Uuid;

/// Why an invocation returned no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The function returned an error.
    #[error("{0}")]
    Failed(String),
    /// The function panicked.
    #[error("the function panicked")]
    Panicked,
    /// The function did not respond in time.
    #[error("the function timed out after {} seconds", .0.as_secs_f32())]
    TimedOut(Duration),
}

/// A Lambda function that runs in this process.
#[derive(Clone)]
pub struct Function {
    handler: Handler,
    timeout: Duration,
}

impl Function {
    /// Creates a function with Lambda's default timeout of three seconds.
    #[must_use]
    pub fn new(handler: Handler) -> Self {
        Self { handler, timeout: Duration::from_secs(3) }
    }

    /// Returns the same function with another timeout.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Invokes the function.
    pub async fn invoke(&self, event: &Value) -> Result<Value, FunctionError> {
        let mut context = Context::default();
        context.request_id = Uuid::new_v4().to_string();
        context.deadline = deadline(self.timeout);
        let answer = self.handler.call(event.to_string().into_bytes(), context);

        // In its own task, so that a panic ends nothing else.
        let mut invocation = tokio::spawn(answer);
        let Ok(outcome) = tokio::time::timeout(self.timeout, &mut invocation).await else {
            invocation.abort();
            return Err(FunctionError::TimedOut(self.timeout));
        };
        let answer = outcome.map_err(|_| FunctionError::Panicked)?;
        let answer = answer.map_err(|Failed(message)| FunctionError::Failed(message))?;
        serde_json::from_slice(&answer).map_err(|error| FunctionError::Failed(error.to_string()))
    }
}

/// Returns the deadline as Lambda passes it: in milliseconds since 1970.
fn deadline(timeout: Duration) -> u64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from((since_1970 + timeout).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use lambda_runtime::LambdaEvent;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn an_error_a_panic_and_a_timeout_are_function_errors() {
        let picky = Handler::new(async |event: LambdaEvent<String>| match event.payload.as_str() {
            "panic" => panic!("on purpose"),
            "hang" => std::future::pending().await,
            _ => Err::<Value, _>("no"),
        });
        let picky = Function::new(picky).with_timeout(Duration::from_millis(20));
        assert_eq!(picky.invoke(&json!("fail")).await, Err(FunctionError::Failed("no".into())));
        assert_eq!(picky.invoke(&json!("panic")).await, Err(FunctionError::Panicked));
        assert!(matches!(picky.invoke(&json!("hang")).await, Err(FunctionError::TimedOut(_))));
    }

    #[tokio::test]
    async fn the_context_has_the_deadline() {
        let tell = Handler::new(async |event: LambdaEvent<Value>| {
            Ok::<_, Infallible>(event.context.deadline().duration_since(SystemTime::now()).unwrap())
        });
        let tell = Function::new(tell).with_timeout(Duration::from_secs(10));
        let left: Duration =
            serde_json::from_value(tell.invoke(&Value::Null).await.unwrap()).unwrap();
        assert!(left > Duration::from_secs(9) && left <= Duration::from_secs(10));
    }
}
