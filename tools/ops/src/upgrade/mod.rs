//! `storefront-ops upgrade`: moves a table of version 0.1 to 0.2, product by product and order by order.
//!
//! Only this reads the whole table, because nothing else finds all products and all orders. It goes in the version
//! after 0.2, with `storefront_core::before_0_2`.

mod counts;
mod index;
mod pace;
mod scan;
mod state;

use std::num::{NonZeroU8, NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use storefront_core::Error as CoreError;
use tokio::task::JoinSet;

use crate::error::Error;
use counts::Counts;
use pace::Pace;
use scan::Upgrader;
use state::{Identity, Progress, State};

#[derive(clap::Args)]
pub(crate) struct UpgradeArgs {
    /// The table: the stack's output `TableName`.
    #[arg(long)]
    table: String,
    /// How many parts of the table to work on at once. A run that continues has as many as the one
    /// that was interrupted.
    #[arg(long, default_value = "4")]
    segments: NonZeroU8,
    /// The most read capacity units to consume per second.
    #[arg(long, default_value = "200")]
    max_rcu: NonZeroU32,
    /// The most write capacity units to consume per second, including those of the indexes.
    #[arg(long, default_value = "200")]
    max_wcu: NonZeroU32,
    /// How many items to look at between two writes of the state file.
    #[arg(long, default_value = "500")]
    page_items: NonZeroU16,
    /// The file for what a run needs to continue after an interruption. Only its owner can read it.
    /// [default: upgrade-<TABLE>.json]
    #[arg(long)]
    state: Option<PathBuf>,
    /// Counts what would be done, and writes neither to the table nor to the state file.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(args: UpgradeArgs, client: Client) -> Result<(), Error> {
    let UpgradeArgs { table, max_rcu, max_wcu, page_items, dry_run, .. } = args;
    let failed = |source| Error::Upgrade { table: table.clone(), source };
    let described = client.describe_table().table_name(&table).send().await;
    let described = described.map_err(|error| failed(CoreError::from(error)))?.table;
    if !dry_run {
        index::expect(&table, described.as_ref())?;
    }
    let identity = Identity::new(&table, described.as_ref());
    let progress = if dry_run {
        Progress::unsaved(State::new(identity, args.segments))
    } else {
        let path = args.state.unwrap_or_else(|| format!("upgrade-{table}.json").into());
        Progress::open(path, identity, args.segments)?
    };

    let segments = progress.state().segments();
    let pace = Pace::new(max_rcu, max_wcu);
    let upgrader =
        Arc::new(Upgrader::new(client, table.clone(), pace, page_items, dry_run, progress));
    let mut running = JoinSet::new();
    for segment in 0..segments {
        let upgrader = Arc::clone(&upgrader);
        running.spawn(async move { upgrader.segment(segment).await });
    }
    while let Some(ended) = running.join_next().await {
        // The state file has what the others have done. They end with this program.
        ended.map_err(|panic| Error::Crashed(panic.to_string()))??;
    }

    let counts = upgrader.counts();
    print!("{}", counts.summary(&table, dry_run));
    counts.outcome()
}
