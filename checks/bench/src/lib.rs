//! Measures the functions as Lambda runs them: release builds in processes of their own, asked
//! through the Runtime API, with AWS behind real TLS.
//!
//! What a function costs says little without something beside it, so each round also measures the
//! least that such a function can cost (`floor/`), and the same in JavaScript. The figures are
//! this machine's; their ratios are the result.

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
