//! Measures the functions as Lambda runs them; see `--help`.
//!
//! Exit codes: 0 if everything was measured, even if a target was missed; 1 if something could not
//! be measured or answered with an error; 2 if the command line is wrong.

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
