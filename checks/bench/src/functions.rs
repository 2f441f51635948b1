//! Measures cold starts, warm invocations, memory and sizes of the functions.

mod report;

use std::path::{Path, PathBuf};

use clap::Parser;
use storefront_template::Template;

use self::report::Report;
use crate::measure::measure;
use crate::report::Output;
use crate::services::Services;
use crate::subject::Plan;
use crate::{Error, callgrind};

/// How the functions are measured.
#[derive(Debug, Parser)]
pub(crate) struct FunctionsArgs {
    /// How often each function is started. One more round comes first and is discarded.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// Measures only this function; may be repeated.
    #[arg(long = "function", value_name = "NAME")]
    functions: Vec<String>,

    /// Skips the comparison with Node.js.
    #[arg(long)]
    no_node: bool,

    /// Also counts the instructions of a cold start and a warm invocation, with valgrind.
    #[arg(long)]
    callgrind: bool,

    /// The folder of the built functions, such as target/lambda after `cargo lambda build
    /// --release`. Without it, they are built, as the floor is. The linker affects the sizes.
    #[arg(long, value_name = "FOLDER")]
    bin_dir: Option<PathBuf>,

    #[command(flatten)]
    output: Output,
}

pub(crate) async fn run(args: &FunctionsArgs, root: &Path) -> Result<(), Error> {
    if args.callgrind {
        callgrind::check()?;
    }
    let template = Template::read(root.join("template.yaml"))?;
    let services = Services::start(&template).await?;
    let bin_dir = args.bin_dir.as_deref();
    let plan = Plan::make(root, &template, &services, &args.functions, !args.no_node, bin_dir)?;
    let measured = measure(&plan, &services, args.rounds).await?;
    let instructions =
        if args.callgrind { Some(callgrind::count(&plan, &services).await?) } else { None };
    let report = Report::new(&plan, &measured, instructions.as_ref(), args.rounds);
    args.output.write(&report.text(), &report)
}
