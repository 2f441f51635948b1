//! Starts the function.

use std::convert::Infallible;
use std::process::ExitCode;

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;
use storefront_credentials::SigningKeys;
use storefront_http::start;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start::function(async {
        let signing_keys = &SigningKeys::from_environment().await?;
        lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
            let decision = storefront_authorizer::authorize(signing_keys, &event.payload).await;
            Ok::<_, Infallible>(decision)
        }))
        .await
    })
    .await
}
