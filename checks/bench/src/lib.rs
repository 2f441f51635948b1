//! Measures the functions as Lambda runs them: release builds in separate processes, invoked
//! through the Runtime API, with fake AWS services behind real TLS.
//!
//! The cost of a function says little without a comparison, so each round also measures minimal
//! functions in Rust, and one in JavaScript (`floor/`). The figures depend on this machine; their
//! ratios are the result.

pub mod cli;
pub mod package;
pub mod runtime_api;

mod callgrind;
mod compile;
mod consumer;
mod contention;
mod environment;
mod error;
mod event;
mod floor;
mod functions;
mod growth;
mod limits;
mod machine;
mod measure;
mod process;
mod report;
mod services;
mod statistics;
mod subject;
mod targets;
mod tls;

pub use error::Error;
