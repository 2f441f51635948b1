//! Starts the function.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent};
use storefront_core::aws;
use storefront_http::MetricSink;
use storefront_http::start::{self, StartError};
use storefront_order_events::{Bucket, Consumer, StreamBatch, eventbridge};

fn main() -> ExitCode {
    start::function(async {
        let variable = |name| aws::variable(name).ok_or(StartError::MissingVariable(name));
        let (bus_name, bucket) = (variable("EVENT_BUS_NAME")?, variable("FAILED_RECORDS_BUCKET")?);
        let config = aws::config()?;
        let client = eventbridge(&config, aws::endpoint_url("EVENTBRIDGE"));
        let failed_records = Bucket::new(&config, aws::endpoint_url("S3"), bucket);
        let consumer = Consumer::new(client, bus_name, failed_records)
            .with_metrics(MetricSink::from_environment());
        let consumer = Arc::new(consumer);
        start::run_handler(move |event: LambdaEvent<StreamBatch>| {
            let consumer = Arc::clone(&consumer);
            async move { Ok::<_, Error>(consumer.handle(event).await) }
        })
        .await
    })
}
