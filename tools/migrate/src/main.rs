//! Moves a shop from a relational database. `--help` says how.
//!
//! Exit codes: 0 when all is done, 1 when something could not be done (it says what, and what to
//! change), 2 when the command line is wrong, 3 when all is done but what the file of rejects has, 4 when
//! the table is not what the source says.

use std::error::Error as _;
use std::process::ExitCode;

use clap::Parser as _;
use storefront_migrate::cli::{self, Args, Outcome};

/// When there are rejects.
const REJECTS: u8 = 3;
/// When the table is not what the source says.
const DIFFERENCES: u8 = 4;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Args::parse()).await {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Rejects) => REJECTS.into(),
        Ok(Outcome::Differences) => DIFFERENCES.into(),
        Err(error) => {
            let mut said = error.to_string();
            let mut source = error.source();
            while let Some(cause) = source {
                // Some say their causes themselves.
                let cause_said = cause.to_string();
                if !said.ends_with(&cause_said) {
                    said = format!("{said}: {cause_said}");
                }
                source = cause.source();
            }
            eprintln!("error: {said}");
            ExitCode::FAILURE
        }
    }
}
