//! Moves a shop from a relational database. `--help` says how.
//!
//! Exit codes: 0 if everything is done, 1 if something could not be done (the message says what,
//! and what to change), 2 if the command line is wrong, 3 if everything is done except the rejects,
//! 4 if the table differs from the source.

use std::error::Error as _;
use std::process::ExitCode;

use clap::Parser as _;
use storefront_migrate::cli::{self, Args, Outcome};

/// The exit code if there are rejects.
const REJECTS: u8 = 3;
/// The exit code if the table differs from the source.
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
                // Some messages already contain their cause.
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
