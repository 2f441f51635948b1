//! What a function's `main` needs.

use std::process::ExitCode;

use axum::Router;
use lambda_http::{lambda_runtime, service_fn};
use storefront_core::Table;
use storefront_core::aws::{self, SdkConfig};
use tracing::error;

use crate::logging::{self, with_sources};
use crate::{MetricSink, answer, with_metrics};

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The environment does not say something that it must.
    #[error("the environment variable {0} is missing")]
    MissingVariable(&'static str),
}

/// Runs a function: starts the log, then does what its `main` is for, and logs why when that cannot
/// go on.
pub async fn function(main: impl Future<Output = Result<(), lambda_http::Error>>) -> ExitCode {
    logging::init();
    match main.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(cause = %with_sources(&*error), "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

/// The table that the environment names.
pub fn table_from_environment(config: &SdkConfig) -> Result<Table, StartError> {
    let name = aws::variable("TABLE_NAME").ok_or(StartError::MissingVariable("TABLE_NAME"))?;
    let client = aws::dynamodb(config, aws::endpoint_url("DYNAMODB"));
    Ok(Table::new(client, name))
}

/// Serves Lambda's invocations until the environment is shut down, with metrics where the environment
/// names a namespace for them.
pub async fn run(app: Router) -> Result<(), lambda_http::Error> {
    let app = with_metrics(app, MetricSink::from_environment());
    lambda_runtime::run(service_fn(|event| answer(app.clone(), event))).await
}
