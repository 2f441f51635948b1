//! Starts the function.

use std::process::ExitCode;

use storefront_core::aws;
use storefront_credentials::SigningKeys;
use storefront_http::start;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    start::function(async {
        let config = aws::config().await;
        let table = start::table_from_environment(&config)?;
        let signing_keys = SigningKeys::from_environment(&config).await?;
        start::run(storefront_auth::app(table, signing_keys)).await
    })
    .await
}
