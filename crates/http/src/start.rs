//! What a function's `main` needs.

use std::fmt::Debug;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use lambda_http::lambda_runtime::layers::TracingLayer;
use lambda_http::lambda_runtime::{Diagnostic, LambdaEvent, Runtime};
use lambda_http::service_fn;
use lambda_http::tower::layer::layer_fn;
use serde::Serialize;
use serde::de::DeserializeOwned;
use storefront_core::Table;
use storefront_core::aws::{self, SdkConfig};
use tokio::runtime::{self, Builder};
use tokio::time::timeout;
use tracing::{error, warn};

use crate::afterwards::AnswerFirst;
use crate::logging::{self, with_sources};
use crate::{MetricSink, answer, with_metrics};

/// How long a function waits for the table's first response before it starts without one.
const CONNECT_WITHIN: Duration = aws::ATTEMPT_TIMEOUT;

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A required environment variable is missing.
    #[error("the environment variable {0} is missing")]
    MissingVariable(&'static str),
}

/// Starts logging and runs a function's `main`. If that fails, logs the cause.
pub fn function(main: impl Future<Output = Result<(), lambda_http::Error>>) -> ExitCode {
    logging::init();
    let ran = match runtime() {
        Ok(runtime) => runtime.block_on(main),
        Err(error) => Err(error.into()),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(cause = %with_sources(&*error), "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

/// Builds a runtime with one thread, which is faster to start and to serve one request after the
/// other. On Lambda Managed Instances, an environment serves several requests at once, so there it
/// has one thread per core.
fn runtime() -> io::Result<runtime::Runtime> {
    let concurrency = aws::variable("AWS_LAMBDA_MAX_CONCURRENCY");
    let is_concurrent = concurrency.is_some_and(|limit| limit.parse::<u32>().is_ok_and(|n| n > 1));
    let mut builder =
        if is_concurrent { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.enable_all().build()
}

/// Connects to the table that the environment names.
///
/// The function starts even if the table cannot be reached: the first request then fails, too, and
/// its client is told.
pub async fn table_from_environment(config: &SdkConfig) -> Result<Table, StartError> {
    let name = aws::variable("TABLE_NAME").ok_or(StartError::MissingVariable("TABLE_NAME"))?;
    let table = Table::new(aws::dynamodb(config, aws::endpoint_url("DYNAMODB")), name);
    // Boxed, because the future of a request is large.
    let cause = match timeout(CONNECT_WITHIN, Box::pin(table.connect())).await {
        Ok(Ok(())) => return Ok(table),
        Ok(Err(error)) => with_sources(&error).to_string(),
        Err(elapsed) => elapsed.to_string(),
    };
    warn!(cause, "DynamoDB could not be reached in advance");
    Ok(table)
}

/// Serves invocations until the environment shuts down, with metrics if `METRICS_NAMESPACE` is set.
pub async fn run(app: Router) -> Result<(), lambda_http::Error> {
    let app = with_metrics(app, MetricSink::from_environment());
    run_handler(move |event| answer(app.clone(), event)).await
}

/// Serves invocations with a handler until the environment shuts down. The handler's
/// [`Telemetry`](crate::invocation::Telemetry) is written after the response has been sent.
pub async fn run_handler<E, F, A, C>(
    handler: impl Fn(LambdaEvent<E>) -> F + Clone + Send + 'static,
) -> Result<(), lambda_http::Error>
where
    E: DeserializeOwned + Send + 'static,
    F: Future<Output = Result<A, C>> + Send + 'static,
    A: Serialize + Send + 'static,
    C: Into<Diagnostic> + Debug + 'static,
{
    let runtime = Runtime::new(service_fn(handler));
    runtime.layer(TracingLayer::new()).layer(layer_fn(AnswerFirst)).run_concurrent().await
}
