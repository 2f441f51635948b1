//! Starts the function.

use std::process::ExitCode;

use storefront_core::aws;
use storefront_http::start;

fn main() -> ExitCode {
    start::function(async {
        let table = start::table_from_environment(&aws::config()?).await?;
        start::run(storefront_products::app(table)).await
    })
}
