//! Code shared by the functions: problems, extractors, the caller, telemetry and start-up.
//!
//! A function's `app` passes its routes to [`service`], which adds what every route needs; its
//! `main` calls [`start::run`]. Handlers use the extractors of this crate and return
//! `Result<impl IntoResponse, Problem>`. [`Problem`] is their only error type; the `From` in
//! `problem/from_core.rs` turns a [`storefront_core::Error`] into one. [`ProblemCode`] is the table
//! of all kinds of problems; a handler's annotation lists its own with [`Problems`].

pub mod invocation;
pub mod logging;
pub mod openapi;
pub mod start;
#[cfg(feature = "stream")]
pub mod stream;

mod address;
mod afterwards;
mod body;
mod caller;
mod event;
mod field;
mod idempotency_key;
mod if_match;
mod metrics;
mod order;
mod page;
mod path;
mod problem;
mod query;
mod request_id;
mod route;
mod service;
mod source;
mod tagged;
mod user;

pub use address::{AddressBody, TrackingBody};
pub use body::{JsonBody, MAX_BODY_BYTES};
pub use caller::{Admin, Authority, Caller, Staff};
pub use event::answer;
pub use field::{Object, Parsed, given, parsed, present};
pub use idempotency_key::{OptionalIdempotencyKey, RequiredIdempotencyKey};
pub use if_match::IfMatch;
pub use metrics::{METRICS, Metric, MetricSink, Metrics};
pub use order::OrderBody;
pub use page::{Cursor, Limit, PageBody, page_request};
pub use path::Id;
pub use problem::{
    FieldError, Problem, ProblemCode, ProblemList, Problems, ProductProblem, problems,
};
pub use query::Query;
pub use request_id::OptionalRequestId;
pub use service::{ANSWER_WITHIN, service, with_metrics};
pub use source::OptionalSource;
pub use tagged::{Changed, Created, Replayed, Tagged};
pub use user::UserBody;
