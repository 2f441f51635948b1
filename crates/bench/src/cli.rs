//! The command line.

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

use crate::concurrency::{self, ConcurrencyArgs};
use crate::consumer::{self, ConsumerArgs};
use crate::growth::{self, GrowthArgs};
use crate::limits::{self, LimitsArgs};
use crate::measure::measure;
use crate::place_order::{self, PlaceOrderArgs};
use crate::report::{self, Report};
use crate::services::Services;
use crate::subject::Plan;
use crate::{Error, callgrind, contention};
use storefront_template::Template;

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
    /// Several invocations at once in one process, beside one at a time.
    Concurrency(ConcurrencyArgs),
    /// The stream's consumer: records a second, calls at once, and memory.
    Consumer(ConsumerArgs),
    /// Simulates a rush on one product: how many orders a second are placed, and how long they take.
    Contention(ContentionArgs),
    /// What each access pattern costs as the table grows, to a million orders.
    Growth(GrowthArgs),
    /// Holds sizes, crates and instructions of the functions against those recorded.
    Limits(LimitsArgs),
    /// Orders of few items and of many: requests, units and time.
    PlaceOrder(PlaceOrderArgs),
}

/// How the functions are measured.
#[derive(Debug, Parser)]
pub(crate) struct FunctionsArgs {
    /// How often each is started. One round more comes first and is thrown away.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// Only this function; may be given again.
    #[arg(long = "function", value_name = "NAME")]
    pub(crate) functions: Vec<String>,

    /// Writes all figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Writes a page with plots to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    /// Leaves out the comparison with Node.js.
    #[arg(long)]
    pub(crate) no_node: bool,

    /// Counts the instructions of a cold start and an invocation too, under valgrind.
    #[arg(long)]
    pub(crate) callgrind: bool,

    /// Where the functions are built already, such as target/lambda after `cargo lambda build
    /// --release`. Without it they are built, as the floor is. Another linker makes other sizes.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) bin_dir: Option<PathBuf>,
}

/// What is simulated; each combination is a line of the table.
#[derive(Debug, Parser)]
pub(crate) struct ContentionArgs {
    /// Orders that come each second.
    #[arg(long, value_delimiter = ',', default_value = "10,25,50,100,200,500,1000",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rates: Vec<u32>,

    /// How long a transaction keeps its items from others, in milliseconds.
    #[arg(long, value_delimiter = ',', default_value = "10",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) transaction: Vec<u32>,

    /// Over how many items the product's stock is spread. In this shop it is one.
    #[arg(long, value_delimiter = ',', default_value = "1,16",
        value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) stock_items: Vec<u32>,

    /// How many orders come in all.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) orders: u32,

    /// The same seed is the same orders at the same moments.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Does what the command line says.
///
/// # Errors
///
/// When something could not be measured, or a function answered an error. That a target is missed
/// is none.
pub async fn run(args: Args) -> Result<(), Error> {
    match args.command {
        Some(Command::Functions(functions)) => run_functions(functions).await,
        Some(Command::Concurrency(args)) => concurrency::run(&args, &root()).await,
        Some(Command::Consumer(args)) => consumer::run(&args, &root()).await,
        Some(Command::Contention(sales)) => {
            println!("{}", contention::table(&sales));
            Ok(())
        }
        Some(Command::Growth(sizes)) => growth::run(&sizes, &root()).await,
        Some(Command::Limits(args)) => limits::run(&args, &root()).await,
        Some(Command::PlaceOrder(args)) => place_order::run(&args, &root()).await,
        None => run_functions(args.functions).await,
    }
}

async fn run_functions(args: FunctionsArgs) -> Result<(), Error> {
    if args.callgrind {
        callgrind::check()?;
    }
    let root = root();
    let template = Template::read(root.join("template.yaml"))?;
    let services = Services::start(&template).await?;
    let plan = Plan::make(&root, &template, &services, &args)?;
    let measured = measure(&plan, &services, args.rounds).await?;
    let instructions =
        if args.callgrind { Some(callgrind::count(&plan, &services).await?) } else { None };
    let report = Report::new(&plan, &measured, instructions.as_ref(), args.rounds);
    print!("{}", report::table::render(&report));
    if let Some(path) = &args.json {
        report::json::write(&report, path)?;
    }
    if let Some(path) = &args.html {
        report::html::write(&report, path)?;
    }
    Ok(())
}

/// The repository's.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
