//! The suite's functions, as their binaries would start them.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use lambda_http::lambda_runtime::LambdaEvent;
use serde_json::Value;
use storefront_authorizer::Authorizer;
use storefront_core::{Table, aws};
use storefront_credentials::SigningKeys;
use storefront_order_status_stream::{Consumer, StreamBatch, eventbridge};

use crate::Error;
use crate::function::Function;

/// Signs the access tokens of the local cloud, and of nothing else.
pub const TOKEN_SECRET: &str = "storefront-local-token-secret-not-for-production";

/// The functions by the name of their binary.
pub(crate) fn functions(
    table: &Table,
    eventbridge_url: String,
) -> Result<HashMap<&'static str, Function>, Error> {
    let signing_keys =
        SigningKeys::fixed(TOKEN_SECRET).map_err(|error| Error::Suite(error.into()))?;
    let auth = storefront_auth::app(table.clone(), signing_keys.clone());
    Ok(HashMap::from([
        ("auth", Function::http(auth)),
        ("authorizer", authorizer(signing_keys)),
        ("users", Function::http(storefront_users::app(table.clone()))),
        ("products", Function::http(storefront_products::app(table.clone()))),
        ("orders", Function::http(storefront_orders::app(table.clone()))),
        ("order-status-stream", order_status_stream(eventbridge_url)),
    ]))
}

fn authorizer(signing_keys: SigningKeys) -> Function {
    let authorizer = Arc::new(Authorizer::new(signing_keys));
    Function::new(move |event: LambdaEvent<Value>| {
        let authorizer = Arc::clone(&authorizer);
        async move { Ok::<_, Infallible>(authorizer.authorize(event).await) }
    })
}

fn order_status_stream(eventbridge_url: String) -> Function {
    let client = eventbridge(&aws::patient_emulator_config(), Some(eventbridge_url));
    let consumer = Arc::new(Consumer::new(client, crate::TABLE_NAME));
    Function::new(move |event: LambdaEvent<StreamBatch>| {
        let consumer = Arc::clone(&consumer);
        async move { consumer.handle(event).await }
    })
}
