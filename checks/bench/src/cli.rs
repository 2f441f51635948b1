//! The command line.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use crate::Error;
use crate::consumer::{self, ConsumerArgs};
use crate::contention::{self, ContentionArgs};
use crate::functions::{self, FunctionsArgs};
use crate::growth::{self, GrowthArgs, ServeArgs};
use crate::limits::{self, LimitsArgs};

/// Measures the functions as Lambda runs them, and compares them with minimal functions.
#[derive(Debug, Parser)]
#[command(name = "storefront-bench", version, args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    functions: FunctionsArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measures cold starts, warm invocations, memory and sizes of the functions; the default.
    Functions(FunctionsArgs),
    /// Measures the stream consumer: records per second, concurrent calls, and memory.
    Consumer(ConsumerArgs),
    /// Simulates a rush on one product: how many orders per second are placed, and how long they
    /// take.
    Contention(ContentionArgs),
    /// Measures what each access pattern costs as the table grows to a million orders.
    Growth(GrowthArgs),
    /// Compares sizes, crates and instructions of the functions with the recorded limits.
    Limits(LimitsArgs),
    /// Serves one table; `growth` starts it for each table.
    #[command(name = growth::SERVE, hide = true)]
    ServeTable(ServeArgs),
}

/// Runs the command line.
///
/// # Errors
///
/// If something could not be measured, or a function answered with an error. A missed target is not
/// an error.
pub async fn run(args: Args) -> Result<(), Error> {
    let root = root();
    match args.command.unwrap_or(Command::Functions(args.functions)) {
        Command::Consumer(args) => consumer::run(&args, &root).await,
        Command::Contention(args) => {
            println!("{}", contention::table(&args));
            Ok(())
        }
        Command::Functions(args) => functions::run(&args, &root).await,
        Command::Growth(args) => growth::run(&args, &root).await,
        Command::Limits(args) => limits::run(&args, &root).await,
        Command::ServeTable(args) => growth::serve(args, &root).await,
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
