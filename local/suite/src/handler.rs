//! Functions as Lambda sees them: JSON in, JSON out.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use lambda_runtime::{Context, LambdaEvent};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Why a handler failed. Lambda passes on only this message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub String);

type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, Failed>> + Send>>;

/// A function's handler, called in this process.
///
/// Events and responses are JSON texts, as on Lambda, so that the function always has to
/// deserialize them. Unlike on Lambda, several invocations may share an execution environment.
#[derive(Clone)]
pub struct Handler(Arc<dyn Fn(Vec<u8>, Context) -> Answer + Send + Sync>);

impl Handler {
    /// Creates a handler as `lambda_runtime::run` would serve it.
    pub fn new<E, A, R, Fut>(
        handler: impl Fn(LambdaEvent<E>) -> Fut + Send + Sync + 'static,
    ) -> Self
    where
        E: DeserializeOwned + Send,
        A: Serialize,
        R: Display,
        Fut: Future<Output = Result<A, R>> + Send,
    {
        let handler = Arc::new(handler);
        Self(Arc::new(move |event, context| {
            let handler = Arc::clone(&handler);
            Box::pin(async move {
                let payload = serde_json::from_slice(&event).map_err(failed)?;
                let answer = handler(LambdaEvent::new(payload, context)).await;
                serde_json::to_vec(&answer.map_err(failed)?).map_err(failed)
            })
        }))
    }

    /// Creates a handler as `lambda_http::run` would serve it.
    #[must_use]
    pub fn http(app: Router) -> Self {
        Self::new(move |event: LambdaEvent<Box<RawValue>>| {
            storefront_http::answer(app.clone(), event)
        })
    }

    /// Handles an event.
    pub fn call(
        &self,
        event: Vec<u8>,
        context: Context,
    ) -> impl Future<Output = Result<Vec<u8>, Failed>> + Send + use<> {
        (self.0)(event, context)
    }
}

fn failed(error: impl Display) -> Failed {
    Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::routing::post;
    use serde_json::{Value, json};

    use super::*;

    async fn answer(handler: Handler, event: Value) -> Result<Value, Failed> {
        let answer = handler.call(event.to_string().into_bytes(), Context::default()).await?;
        serde_json::from_slice(&answer).map_err(failed)
    }

    fn double() -> Handler {
        Handler::new(async |event: LambdaEvent<u64>| Ok::<_, Infallible>(event.payload * 2))
    }

    #[tokio::test]
    async fn a_handler_receives_and_returns_json() {
        assert_eq!(answer(double(), json!(21)).await, Ok(json!(42)));
    }

    #[tokio::test]
    async fn an_event_of_the_wrong_shape_fails_the_invocation() {
        assert!(answer(double(), json!("x")).await.is_err());
    }

    #[tokio::test]
    async fn a_router_handles_an_api_gateway_event() {
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
        let answer = answer(Handler::http(app), event).await.unwrap();
        assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(200), &json!("hello")));
    }
}
