use std::collections::HashMap;

use lambda_runtime::Context;
use serde_json::{Value, json};
use storefront_core::{OrderRules, Orders, Table, Timestamp, UserId};
use storefront_credentials::{SigningKey, SigningKeys};
use storefront_suite::{Dependencies, Handler, Kind, functions};
use storefront_testing::{Answer, Api, Persona, evidence};

/// The password of everyone who registers here.
pub const PASSWORD: &str = "correct horse battery";

/// What signs the tokens here.
const SECRET: &str = "a secret of the tests, 32 bytes or more";

/// The key that signs the tokens here.
///
/// # Panics
///
/// Never: the secret is long enough.
#[must_use]
pub fn signing_key() -> SigningKey {
    SigningKey::new(SECRET).expect("long enough")
}

/// The API functions and the scheduled one over one table.
#[derive(Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Shop {
    pub auth: Api,
    pub users: Api,
    pub products: Api,
    pub orders: Api,
    expiry: Handler,
    table: Table,
}

impl Shop {
    /// The functions over this table, without any limit to new orders.
    #[must_use]
    pub fn over(table: &Table) -> Self {
        Self::with_rules(table, OrderRules::default())
    }

    /// The functions over this table, with these rules for new orders.
    #[must_use]
    pub fn with_rules(table: &Table, order_rules: OrderRules) -> Self {
        evidence::token_secret(SECRET);
        let functions = functions(&Dependencies {
            table: table.clone(),
            order_rules,
            signing_keys: SigningKeys::fixed(SECRET).expect("long enough"),
            ..Dependencies::unreachable()
        });
        let mut apis = HashMap::new();
        let mut schedules = HashMap::new();
        for function in functions {
            match function.kind {
                Kind::Api { router, doc } => {
                    apis.insert(function.name, Api::new(router, doc));
                }
                Kind::Schedule(handler) => {
                    schedules.insert(function.name, handler);
                }
                Kind::Authorizer(_) | Kind::Stream(_) | Kind::Rule(_) | Kind::Queue(_) => {}
            }
        }
        let expiry = schedules.remove("order-expiry").expect("the suite has this function");
        let mut api = |name| apis.remove(name).expect("the suite has this function");
        Self {
            auth: api("auth"),
            users: api("users"),
            products: api("products"),
            orders: api("orders"),
            expiry,
            table: table.clone(),
        }
    }

    /// Runs the function that cancels overdue orders, as its schedule does. Returns what it says of the
    /// run, or why it failed.
    pub async fn expire_orders(&self) -> Result<Value, String> {
        let event = json!({ "source": "aws.events", "detail-type": "Scheduled Event" });
        let run = self.expiry.call(event.to_string().into_bytes(), Context::default()).await;
        let run = run.map_err(|failed| failed.to_string())?;
        serde_json::from_slice(&run).map_err(|error| error.to_string())
    }

    /// Lets the pending orders of a user expire now, as their deletion does. Returns how many.
    pub async fn let_expire(&self, user_id: UserId) -> Result<usize, storefront_core::Error> {
        Orders::new(self.table.clone()).let_expire(user_id, Timestamp::now()).await
    }

    /// POST /users.
    pub async fn register(&self, email: &str) -> Answer {
        let body = json!({ "email": email, "password": PASSWORD, "name": "Anna" });
        self.auth.post("/users").json(body).send().await
    }

    /// POST /sessions.
    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.auth.post("/sessions").json(body).send().await
    }

    /// POST /orders; each item is a product's id and a quantity.
    pub async fn order(
        &self,
        customer: Persona,
        idempotency_key: Option<&str>,
        items: &[(&str, u32)],
    ) -> Answer {
        let items: Vec<_> = items
            .iter()
            .map(|(product_id, quantity)| json!({ "productId": product_id, "quantity": quantity }))
            .collect();
        let mut request = self.orders.post("/orders").json(json!({ "items": items })).by(customer);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        request.send().await
    }
}
