//! Starts the function.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Error, LambdaEvent};
use storefront_core::aws;
use storefront_http::{MetricSink, start};
use storefront_notifications::{Notifications, QueueBatch, Ses, Settings};

fn main() -> ExitCode {
    start::function(async {
        let settings = Settings::from_variables(aws::variable)?;
        let config = aws::config()?;
        let table = start::table_from_environment(&config).await?;
        let ses = Ses::new(&config, aws::endpoint_url("SESV2"));
        let notifications =
            Notifications::new(table, ses, settings).with_metrics(MetricSink::from_environment());
        let notifications = Arc::new(notifications);
        start::run_handler(move |event: LambdaEvent<QueueBatch>| {
            let notifications = Arc::clone(&notifications);
            async move { Ok::<_, Error>(notifications.handle(event).await) }
        })
        .await
    })
}
