//! The function `orders` of version 0.1 itself, as Lambda runs it.

use std::sync::Arc;

use serde_json::{Value, json};
use storefront_core::{OrderId, ProductId, UserId};
use storefront_testing::ExecutionEnvironment;
use tokio::sync::Mutex;

use super::functions_of_0_1::{Refused, Sold};

/// The path of the program; `checks/gate/upgrade-test` builds it.
const VARIABLE: &str = "STOREFRONT_ORDERS_OF_0_1";

/// A running function, which processes one event at a time.
#[derive(Clone)]
pub(super) struct Real(Arc<Mutex<ExecutionEnvironment>>);

impl Real {
    /// Starts the function on a table of the `DynamoDB` with this URL; `None` if there is no program of
    /// 0.1.
    pub(super) async fn start(url: &str, table: &str) -> Option<Self> {
        let program = std::env::var(VARIABLE).ok()?;
        // Nobody reads what it logs.
        let variables =
            [("AWS_ENDPOINT_URL_DYNAMODB", url), ("TABLE_NAME", table), ("RUST_LOG", "ERROR")];
        let environment = ExecutionEnvironment::start(&program, &variables).await;
        Some(Self(Arc::new(Mutex::new(environment))))
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
        let mut environment = self.0.lock().await;
        environment.invoke("8476a536-e9f4-11e8-9739-2dfe598c3fcd", &event);
        let (_, answer) = environment.answer().await;
        let status = answer["statusCode"].as_u64().unwrap_or_else(|| panic!("{answer}"));
        (status, serde_json::from_str(answer["body"].as_str().unwrap()).unwrap())
    }
}
