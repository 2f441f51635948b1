//! Drives the API functions as API Gateway does, for their tests: real payload 2.0 events go
//! through `lambda_http` into the function's own router, on a `DynamoDB` that belongs to the test.
//!
//! ```no_run
//! # async fn example(
//! #     app: impl Fn(storefront_core::Table) -> axum::Router,
//! #     doc: fn() -> utoipa::openapi::OpenApi,
//! # ) {
//! let database = storefront_testing::Database::start().await;
//! let api = storefront_testing::Api::new(app(database.table()), doc);
//! let anna = database.customer().await;
//! let answer = api.get("/users/me").by(anna).send().await;
//! assert_eq!(answer.status, 200);
//! # }
//! ```

#![allow(clippy::missing_panics_doc, clippy::expect_used, reason = "a test has no better answer")]

pub mod audit;
pub mod evidence;
pub mod faults;

mod api;
mod contract;
mod database;
mod environment;
mod log;
mod metrics;
mod product;
mod secrets_manager;
mod table;

pub use api::{Answer, Api, Persona, Request, SOURCE};
pub use database::{Database, unreachable_table};
pub use environment::ExecutionEnvironment;
pub use log::CapturedLog;
pub use metrics::CapturedMetrics;
pub use product::new_product;
pub use secrets_manager::SecretsManager;
pub use table::{TestTable, test_table};
