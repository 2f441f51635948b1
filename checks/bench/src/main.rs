//! Measures the functions as Lambda runs them. `--help` says how.
//!
//! Exit codes: 0 when all was measured, whatever came out; 1 when something could not be measured
//! or answered an error; 2 when the command line is wrong.

use std::process::ExitCode;

use clap::Parser as _;
use storefront_bench::cli::{self, Args};

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
