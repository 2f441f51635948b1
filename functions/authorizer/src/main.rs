//! Starts the function.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::LambdaEvent;
use serde_json::Value;
use storefront_authorizer::Authorizer;
use storefront_core::{Sessions, aws};
use storefront_credentials::SigningKeys;
use storefront_http::{MetricSink, start};

fn main() -> ExitCode {
    start::function(async {
        let config = aws::config()?;
        let signing_keys = SigningKeys::from_environment(&config).await?;
        let mut authorizer =
            Authorizer::new(signing_keys).with_metrics(MetricSink::from_environment());
        if aws::variable("IMMEDIATE_REVOCATION").is_some_and(|value| value == "true") {
            let table = start::table_from_environment(&config).await?;
            authorizer = authorizer.revoking_immediately(Sessions::new(table));
        }
        let authorizer = Arc::new(authorizer);
        start::run_handler(move |event: LambdaEvent<Value>| {
            let authorizer = Arc::clone(&authorizer);
            async move { Ok::<_, Infallible>(authorizer.authorize(event).await) }
        })
        .await
    })
}
