//! Starts the function.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::LambdaEvent;
use serde::de::IgnoredAny;
use storefront_core::aws;
use storefront_http::{MetricSink, start};
use storefront_order_expiry::Expiry;

fn main() -> ExitCode {
    start::function(async {
        let table = start::table_from_environment(&aws::config()?).await?;
        let expiry = Expiry::new(table).with_metrics(MetricSink::from_environment());
        let expiry = Arc::new(expiry);
        start::run_handler(move |event: LambdaEvent<IgnoredAny>| {
            let expiry = Arc::clone(&expiry);
            async move { expiry.handle(event).await }
        })
        .await
    })
}
