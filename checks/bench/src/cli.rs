//! The command line.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use crate::Error;
use crate::consumer::{self, ConsumerArgs};
use crate::contention::{self, ContentionArgs};
use crate::functions::{self, FunctionsArgs};
use crate::growth::{self, GrowthArgs, ServeArgs};
use crate::limits::{self, LimitsArgs};

/// Measures the functions as Lambda runs them, beside the least that such functions can cost.
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
    /// Cold starts, warm invocations, memory and sizes of the functions; the default.
    Functions(FunctionsArgs),
    /// The stream's consumer: records a second, calls at once, and memory.
    Consumer(ConsumerArgs),
    /// Simulates a rush on one product: how many orders a second are placed, and how long they take.
    Contention(ContentionArgs),
    /// What each access pattern costs as the table grows, to a million orders.
    Growth(GrowthArgs),
    /// Holds sizes, crates and instructions of the functions against those recorded.
    Limits(LimitsArgs),
    /// What `growth` starts for each table.
    #[command(name = growth::SERVE, hide = true)]
    ServeTable(ServeArgs),
}

/// Does what the command line says.
///
/// # Errors
///
/// When something could not be measured, or a function answered an error. That a target is missed
/// is none.
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

/// The repository's.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
