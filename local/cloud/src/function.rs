//! A Lambda function in this process: JSON in, JSON out, within its timeout.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use lambda_http::lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

/// An invocation that came to no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The function answered an error.
    #[error("{0}")]
    Failed(String),
    /// The function panicked.
    #[error("the function panicked")]
    Panicked,
    /// The function did not answer in time.
    #[error("the function timed out after {} seconds", .0.as_secs_f32())]
    TimedOut(Duration),
}

type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, FunctionError>> + Send>>;
type Handler = dyn Fn(Vec<u8>, Context) -> Answer + Send + Sync;

/// A Lambda function that is called in process.
///
/// It gets and gives JSON texts, as on Lambda, so nothing that the service would have to
/// deserialize is passed by it. Unlike there, invocations may share one environment at a time.
#[derive(Clone)]
pub struct Function {
    handler: Arc<Handler>,
    timeout: Duration,
}

impl Function {
    /// A function as `lambda_http::run` would serve it.
    #[must_use]
    pub fn http(app: Router) -> Self {
        Self::new(move |event: LambdaEvent<Box<RawValue>>| {
            storefront_http::answer(app.clone(), event)
        })
    }

    /// A function as `lambda_runtime::run` would serve it.
    pub fn new<E, A, R, F>(handler: F) -> Self
    where
        E: DeserializeOwned + Send,
        A: Serialize,
        R: Display,
        F: AsyncHandler<E, A, R>,
    {
        let handler = Arc::new(handler);
        let call = move |event: Vec<u8>, context: Context| -> Answer {
            let handler = Arc::clone(&handler);
            Box::pin(async move {
                let payload = serde_json::from_slice(&event).map_err(failed)?;
                let answer = handler.call(LambdaEvent::new(payload, context)).await;
                serde_json::to_vec(&answer.map_err(failed)?).map_err(failed)
            })
        };
        Self { handler: Arc::new(call), timeout: Duration::from_secs(3) }
    }

    /// The same function with another timeout than Lambda's default of three seconds.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Invokes the function.
    pub async fn invoke(&self, event: &Value) -> Result<Value, FunctionError> {
        let mut context = Context::default();
        context.request_id = Uuid::new_v4().to_string();
        context.deadline = deadline(self.timeout);
        let answer = (self.handler)(event.to_string().into_bytes(), context);

        // A task of its own, so that a panic ends it and nothing else.
        let mut invocation = tokio::spawn(answer);
        let Ok(outcome) = tokio::time::timeout(self.timeout, &mut invocation).await else {
            invocation.abort();
            return Err(FunctionError::TimedOut(self.timeout));
        };
        let answer = outcome.map_err(|_| FunctionError::Panicked)??;
        serde_json::from_slice(&answer).map_err(failed)
    }
}

/// An async function over a [`LambdaEvent`]; every suitable closure is one.
pub trait AsyncHandler<E, A, R>: Send + Sync + 'static {
    /// Answers an event.
    fn call(&self, event: LambdaEvent<E>) -> impl Future<Output = Result<A, R>> + Send;
}

impl<E, A, R, F, Fut> AsyncHandler<E, A, R> for F
where
    F: Fn(LambdaEvent<E>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<A, R>> + Send,
{
    fn call(&self, event: LambdaEvent<E>) -> impl Future<Output = Result<A, R>> + Send {
        self(event)
    }
}

fn failed(error: impl Display) -> FunctionError {
    FunctionError::Failed(error.to_string())
}

/// In milliseconds since 1970, as Lambda tells it.
fn deadline(timeout: Duration) -> u64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from((since_1970 + timeout).as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::routing::post;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_handler_answers_json_with_json() {
        let double =
            Function::new(async |event: LambdaEvent<u64>| Ok::<_, Infallible>(event.payload * 2));
        assert_eq!(double.invoke(&json!(21)).await, Ok(json!(42)));
    }

    #[tokio::test]
    async fn an_event_of_the_wrong_shape_is_a_function_error() {
        let double =
            Function::new(async |event: LambdaEvent<u64>| Ok::<_, Infallible>(event.payload * 2));
        assert!(matches!(double.invoke(&json!("x")).await, Err(FunctionError::Failed(_))));
    }

    #[tokio::test]
    async fn an_error_a_panic_and_a_timeout_are_function_errors() {
        let picky =
            Function::new(async |event: LambdaEvent<String>| match event.payload.as_str() {
                "panic" => panic!("on purpose"),
                "hang" => std::future::pending().await,
                _ => Err::<Value, _>("no"),
            })
            .with_timeout(Duration::from_millis(20));
        assert_eq!(picky.invoke(&json!("fail")).await, Err(FunctionError::Failed("no".into())));
        assert_eq!(picky.invoke(&json!("panic")).await, Err(FunctionError::Panicked));
        assert!(matches!(picky.invoke(&json!("hang")).await, Err(FunctionError::TimedOut(_))));
    }

    #[tokio::test]
    async fn a_deadline_is_in_the_context() {
        let tell = Function::new(async |event: LambdaEvent<Value>| {
            Ok::<_, Infallible>(event.context.deadline().duration_since(SystemTime::now()).unwrap())
        })
        .with_timeout(Duration::from_secs(10));
        let left: Duration =
            serde_json::from_value(tell.invoke(&Value::Null).await.unwrap()).unwrap();
        assert!(left > Duration::from_secs(9) && left <= Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_router_answers_an_api_gateway_event() {
        let app = Router::new().route("/echo", post(async |body: String| body));
        let event = json!({
            "version": "2.0",
            "routeKey": "POST /echo",
            "rawPath": "/echo",
            "rawQueryString": "",
            "headers": { "content-type": "text/plain", "host": "localhost" },
            "requestContext": {
                "http": { "method": "POST", "path": "/echo", "sourceIp": "127.0.0.1" },
                "stage": "$default",
            },
            "body": "hello",
            "isBase64Encoded": false,
        });
        let answer = Function::http(app).invoke(&event).await.unwrap();
        assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(200), &json!("hello")));
    }
}
