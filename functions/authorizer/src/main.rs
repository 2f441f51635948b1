//! Starts the function.

use std::convert::Infallible;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::LambdaEvent;
use serde_json::Value;
use storefront_authorizer::Authorizer;
use storefront_core::aws;
use storefront_credentials::SigningKeys;
use storefront_http::{MetricSink, start};

fn main() -> ExitCode {
    start::function(async {
        let signing_keys = SigningKeys::from_environment(&aws::config()?).await?;
        let authorizer = Authorizer::new(signing_keys).with_metrics(MetricSink::from_environment());
        let authorizer = Arc::new(authorizer);
        start::run_handler(move |event: LambdaEvent<Value>| {
            let authorizer = Arc::clone(&authorizer);
            async move { Ok::<_, Infallible>(authorizer.authorize(event).await) }
        })
        .await
    })
}
