//! Starts the function.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent};
use storefront_availability::{Consumer, StreamBatch};
use storefront_core::aws;
use storefront_http::{MetricSink, start};

fn main() -> ExitCode {
    start::function(async {
        let table = start::table_from_environment(&aws::config()?).await?;
        let consumer = Consumer::new(table).with_metrics(MetricSink::from_environment());
        let consumer = Arc::new(consumer);
        start::run_handler(move |event: LambdaEvent<StreamBatch>| {
            let consumer = Arc::clone(&consumer);
            async move { Ok::<_, Error>(consumer.handle(event).await) }
        })
        .await
    })
}
