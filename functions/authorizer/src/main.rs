//! Starts the function.

use std::convert::Infallible;
use std::process::ExitCode;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use storefront_authorizer::Authorizer;
use storefront_core::aws;
use storefront_credentials::SigningKeys;
use storefront_http::{MetricSink, start};

fn main() -> ExitCode {
    start::function(async {
        let signing_keys = SigningKeys::from_environment(&aws::config()?).await?;
        let authorizer =
            &Authorizer::new(signing_keys).with_metrics(MetricSink::from_environment());
        lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
            Ok::<_, Infallible>(authorizer.authorize(event).await)
        }))
        .await
    })
}
