use std::collections::HashMap;

use serde_json::json;
use storefront_core::Table;
use storefront_credentials::SigningKeys;
use storefront_suite::{Dependencies, Kind, functions};
use storefront_testing::{Answer, Api, Persona, evidence};

/// The password of everyone who registers here.
pub const PASSWORD: &str = "correct horse battery";

/// The API functions over one table.
#[derive(Clone)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Shop {
    pub auth: Api,
    pub users: Api,
    pub products: Api,
    pub orders: Api,
}

impl Shop {
    /// The functions over this table.
    #[must_use]
    pub fn over(table: &Table) -> Self {
        let secret = "a secret of the tests, 32 bytes or more";
        evidence::token_secret(secret);
        let functions = functions(&Dependencies {
            table: table.clone(),
            order_rules: storefront_core::OrderRules::default(),
            signing_keys: SigningKeys::fixed(secret).expect("long enough"),
            ..Dependencies::unreachable()
        });
        let mut apis: HashMap<_, _> = functions
            .into_iter()
            .filter_map(|function| match function.kind {
                Kind::Api { router, doc } => Some((function.name, Api::new(router, doc))),
                Kind::Authorizer(_)
                | Kind::Stream(_)
                | Kind::Schedule(_)
                | Kind::Rule(_)
                | Kind::Queue(_) => None,
            })
            .collect();
        let mut api = |name| apis.remove(name).expect("the suite has this function");
        Self {
            auth: api("auth"),
            users: api("users"),
            products: api("products"),
            orders: api("orders"),
        }
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
