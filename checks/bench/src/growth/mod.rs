//! Measures what each access pattern costs as the table grows: requests and capacity units, which
//! must be the same at every size, and the time, which is that of the embedded store.
//!
//! The tables exist side by side, each in its own file and served by its own process. Every round
//! sends the same requests to all of them, so that a disturbance affects all sizes equally.

mod data;
mod fill;
mod measure;
mod pattern;
mod report;
mod shop;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use clap::Parser;
use storefront_template::{TableDefinition, Template};

use self::data::{Data, FEWEST_ORDERS};
use self::fill::{Rate, fill};
use self::report::{Report, Size};
use self::shop::Shop;
use self::store::{Server, Store};

pub(crate) use self::store::{SERVE, ServeArgs};
use crate::Error;
use crate::report::{Output, millions};

/// The sizes of the tables, and the number of rounds.
#[derive(Debug, Parser)]
pub(crate) struct GrowthArgs {
    /// The numbers of orders in the tables. A million takes some gigabytes in the temporary folder
    /// (`TMPDIR`) until the end of the run.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000,1000000",
        value_parser = clap::value_parser!(u32).range(i64::from(FEWEST_ORDERS)..=100_000_000))]
    orders: Vec<u32>,

    /// How often each pattern runs on each table. Some more rounds come first and are discarded.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,

    /// The same seed gives the same shops.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    #[command(flatten)]
    output: Output,
}

/// Measures, and leaves nothing behind, even if interrupted.
pub(crate) async fn run(args: &GrowthArgs, root: &Path) -> Result<(), Error> {
    let definition = Template::read(root.join("template.yaml"))?.table()?;
    let folder = tempfile::tempdir().map_err(Error::io("cannot create a folder"))?;
    let report = tokio::select! {
        report = measured(args, &definition, folder.path()) => report?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted.map_err(Error::io("cannot wait for an interrupt"))?;
            return Err(Error::Interrupted);
        }
    };
    args.output.write(&report.text(), &report)?;
    if report.differing.is_empty() { Ok(()) } else { Err(Error::NotTheSame(report.differing)) }
}

/// Serves one table, for a run that started this process.
pub(crate) async fn serve(args: ServeArgs, root: &Path) -> Result<(), Error> {
    store::serve(args, &Template::read(root.join("template.yaml"))?.table()?).await
}

/// Fills the tables one after another, smallest first, and measures them together.
async fn measured(
    args: &GrowthArgs,
    definition: &TableDefinition,
    folder: &Path,
) -> Result<Report, Error> {
    let orders: BTreeSet<_> = args.orders.iter().copied().collect();
    let (mut sizes, mut servers, mut shops) = (Vec::new(), Vec::new(), Vec::new());
    for orders in orders {
        let data = Data::new(orders, args.seed);
        let file = folder.join(format!("{orders}.sqlite"));
        let store = Store::open(file.clone(), definition).await?;
        let growth = fill(&store, data, |done, rate| say(done, rate, data, &store)).await?;
        store.close().await?;
        sizes.push(Size::of(data, growth, store::bytes(&file)));
        let server = Server::start(&file).await?;
        shops.push(Shop::over(data, &server.endpoint_url));
        servers.push(server);
    }
    let samples = measure::measure(&shops, args.rounds, args.seed).await?;
    Ok(Report::new(args, sizes, &samples))
}

fn say(done: u32, rate: Rate, data: Data, store: &Store) {
    use io::Write as _;
    // Progress only, so errors do not matter.
    let _ = writeln!(
        io::stderr(),
        "{done} of {} orders, {} items, {:.0} items/s, {:.0} MB",
        data.orders,
        rate.items,
        rate.items_per_second,
        millions(store.bytes()),
    );
}
