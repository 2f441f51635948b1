//! The function `orders` of version 0.1 itself, invoked through Lambda's Runtime API.
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use serde_json::{Value, json};
use storefront_core::{OrderId, ProductId, UserId};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc, oneshot};

use super::functions_of_0_1::{Refused, Sold};

/// The path of the program; `checks/gate/upgrade-test` builds it.
const VARIABLE: &str = "STOREFRONT_ORDERS_OF_0_1";

type Call = (Value, oneshot::Sender<Value>);

/// A running function, which processes one event at a time.
#[derive(Clone)]
pub(super) struct Real {
    calls: mpsc::Sender<Call>,
    _process: Arc<Child>,
}

/// What the Runtime API needs: the calls, and who waits for the answer to the current one.
#[derive(Clone)]
struct Runtime {
    calls: Arc<Mutex<mpsc::Receiver<Call>>>,
    waiting: Arc<Mutex<Option<oneshot::Sender<Value>>>>,
}

impl Real {
    /// Starts the function on a table of the `DynamoDB` with this URL; `None` if there is no program of
    /// 0.1.
    pub(super) async fn start(url: &str, table: &str) -> Option<Self> {
        let program = std::env::var_os(VARIABLE)?;
        let (calls, received) = mpsc::channel(1);
        let runtime = Runtime { calls: Arc::new(Mutex::new(received)), waiting: Arc::default() };
        let app = axum::Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(answered))
            .with_state(runtime);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        let variables = [
            ("AWS_LAMBDA_RUNTIME_API", &*address),
            ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "orders"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "orders"),
            ("AWS_ENDPOINT_URL_DYNAMODB", url),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("TABLE_NAME", table),
        ];
        let mut process = Command::new(program);
        process.env_clear().envs(variables).stdout(Stdio::null()).kill_on_drop(true);
        Some(Self { calls, _process: Arc::new(process.spawn().unwrap()) })
    }

    /// Places an order of one product.
    pub(super) async fn place(
        &self,
        user: UserId,
        product: ProductId,
        quantity: u32,
    ) -> Result<Sold, Refused> {
        let body = json!({ "items": [{ "productId": product, "quantity": quantity }] });
        let event = include_str!("../../../../../events/orders/place.json");
        let mut event: Value = serde_json::from_str(event).unwrap();
        event["headers"].as_object_mut().unwrap().remove("idempotency-key");
        event["requestContext"]["authorizer"]["lambda"]["userId"] = json!(user);
        let (status, answer) = self.invoke(event, &body).await;
        match (status, answer["code"].as_str()) {
            (201, _) => {
                let id: OrderId = answer["id"].as_str().unwrap().parse().unwrap();
                Ok(Sold { user, id, items: vec![(product, quantity)] })
            }
            (409, Some("out_of_stock")) => Err(Refused::OutOfStock),
            (503, Some("contention")) => Err(Refused::Contention),
            _ => panic!("{status} {answer}"),
        }
    }

    /// Cancels an order as its owner, and returns whether it could be.
    pub(super) async fn cancel(&self, sold: &Sold) -> bool {
        let event = include_str!("../../../../../events/orders/cancel.json");
        let mut event: Value = serde_json::from_str(event).unwrap();
        let path = format!("/orders/{}", sold.id);
        event["rawPath"] = json!(path);
        event["requestContext"]["http"]["path"] = json!(path);
        event["pathParameters"] = json!({ "orderId": sold.id });
        event["requestContext"]["authorizer"]["lambda"]["userId"] = json!(sold.user);
        event["headers"].as_object_mut().unwrap().remove("if-match");
        let (status, answer) = self.invoke(event, &json!({ "status": "cancelled" })).await;
        match (status, answer["code"].as_str()) {
            (200, _) => true,
            (409, Some("invalid_status_change")) => false,
            _ => panic!("{status} {answer}"),
        }
    }

    /// Returns the status and the body of the answer.
    async fn invoke(&self, mut event: Value, body: &Value) -> (u64, Value) {
        event["body"] = json!(body.to_string());
        let (sender, answer) = oneshot::channel();
        self.calls.send((event, sender)).await.unwrap();
        let answer = answer.await.unwrap();
        let status = answer["statusCode"].as_u64().unwrap_or_else(|| panic!("{answer}"));
        (status, serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
    }
}

async fn next(State(runtime): State<Runtime>) -> impl IntoResponse {
    let Some((event, sender)) = runtime.calls.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    *runtime.waiting.lock().await = Some(sender);
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-central-1:123456789012:function:orders",
        ),
        ("lambda-runtime-trace-id", "Root=1-6b02af1b-d970548d307caa5c565e7a04"),
    ];
    (headers, event.to_string()).into_response()
}

async fn answered(State(runtime): State<Runtime>, body: Bytes) -> StatusCode {
    if let Some(sender) = runtime.waiting.lock().await.take() {
        // A test that has failed does not wait any more.
        let _ = sender.send(serde_json::from_slice(&body).unwrap());
    }
    StatusCode::ACCEPTED
}
