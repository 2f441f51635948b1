//! Starts the function.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::LambdaEvent;
use storefront_core::aws;
use storefront_http::MetricSink;
use storefront_http::start::{self, StartError};
use storefront_order_status_stream::{Consumer, StreamBatch, eventbridge};

fn main() -> ExitCode {
    start::function(async {
        let bus_name =
            aws::variable("EVENT_BUS_NAME").ok_or(StartError::MissingVariable("EVENT_BUS_NAME"))?;
        let client = eventbridge(&aws::config()?, aws::endpoint_url("EVENTBRIDGE"));
        let consumer = Consumer::new(client, bus_name).with_metrics(MetricSink::from_environment());
        let consumer = Arc::new(consumer);
        start::run_handler(move |event: LambdaEvent<StreamBatch>| {
            let consumer = Arc::clone(&consumer);
            async move { consumer.handle(event).await }
        })
        .await
    })
}
