//! Reads the table back, and compares it with the source in both directions.
//!
//! First, every unit of the source is read, made into items as in a load, and compared with the
//! table's items under the same keys. Then the table is scanned, and each item is looked up in the
//! source. Memory does not grow with the number of rows: it holds some batches and some pages, and
//! a temporary file holds who has which email.

mod backward;
mod compare;
mod difference;
mod expectation;
mod forward;
mod item;
mod legacy;
mod reads;
mod samples;
mod sides;
mod stock;
mod summary;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use storefront_core::Table;

use self::difference::Differences;
use self::expectation::{Expectation, Kept};
use self::legacy::KeyTypes;
use self::reads::Reads;
use self::samples::Samples;
use self::sides::Sides;
pub(crate) use self::summary::Summary;
use crate::load::Counts;
use crate::load::display::Display;
use crate::load::table::Target;
use crate::{Error, Kind, Mapping, Reader};

/// The default file of differences.
const DIFFERENCES: &str = "differences.jsonl";

/// What to compare.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The mapping. The source's URL is `DATABASE_URL`, or the one in the mapping.
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,

    /// The table.
    #[arg(long, value_name = "NAME")]
    table: String,

    /// DynamoDB's endpoint, if it is not AWS's own in the region (`AWS_ENDPOINT_URL_DYNAMODB`).
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,

    /// The most read capacity units to consume per second. Without it, as many as the table gives.
    #[arg(long, value_name = "RCU")]
    max_rcu: Option<NonZeroU32>,

    /// The state folder of the load, which must be complete and have the same mapping, source and
    /// table. What its catch-ups have kept in the table is then not a difference.
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,

    /// The file for all differences, a line of JSON each. Only its owner can read it. By default it
    /// is `differences.jsonl` in the state folder or, without one, in the working directory. The
    /// file of an earlier run is removed.
    #[arg(long, value_name = "FILE")]
    differences: Option<PathBuf>,

    /// The number of parts in which the table is scanned concurrently.
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    segments: u16,

    /// How many of each kind (users, products and orders) are also read in the way the shop reads
    /// them. They are chosen at random among those that are equal.
    #[arg(long, value_name = "N", default_value_t = 25)]
    samples: usize,

    /// Counts what the shop itself has created or changed since as differences, too. For a table
    /// that nobody uses yet.
    #[arg(long)]
    strict: bool,
}

/// The state of a verification.
#[derive(Debug)]
struct Verification {
    reads: Arc<Reads>,
    expectation: Expectation,
    is_strict: bool,
    key_types: BTreeMap<Kind, KeyTypes>,
    counts: Counts,
    sides: Sides,
    changed: BTreeMap<Kind, u64>,
    kept: BTreeMap<Kind, u64>,
    /// Products that differ only in that they are spread over several stock items.
    spread: u64,
    samples: Samples,
    differences: Differences,
    display: Display,
}

/// Compares the table with the source.
pub(crate) async fn run(args: &VerifyArgs) -> Result<Summary, Error> {
    let mapping = Mapping::read(&args.mapping)?;
    let url = mapping.url()?;
    let target = Target::find(&args.table, args.endpoint_url.clone()).await?;
    let kept = match &args.state {
        Some(folder) => Kept::of_load(folder, &mapping, &url, &target)?,
        None => Kept::default(),
    };
    let differences = args.differences.clone().unwrap_or_else(|| {
        args.state.as_ref().map_or_else(|| DIFFERENCES.into(), |state| state.join(DIFFERENCES))
    });
    let differences = Differences::open(differences)?;
    let mut reader = Reader::open(mapping, &url).await?;
    let display = Display::new();
    display.line("Reading all users once, to see which of them share an email.");
    let mut verification = Verification {
        reads: Arc::new(Reads::new(&target, args.max_rcu)),
        expectation: Expectation::read(&mut reader, kept).await?,
        is_strict: args.strict,
        key_types: BTreeMap::new(),
        counts: Counts::default(),
        sides: Sides::default(),
        changed: BTreeMap::new(),
        kept: BTreeMap::new(),
        spread: 0,
        samples: Samples::new(args.samples),
        differences,
        display,
    };
    forward::run(&mut verification, &mut reader).await?;
    backward::run(&mut verification, &mut reader, args.segments).await?;
    reader.close().await?;
    let Verification {
        reads, counts, sides, changed, kept, spread, samples, mut differences, ..
    } = verification;
    let table = Table::new(target.reads, target.name);
    for difference in samples.read(table, args.strict).await? {
        differences.note(difference)?;
    }
    differences.finish()?;
    let read_units = reads.spent().units;
    Ok(Summary { counts, sides, changed, kept, spread, samples, differences, read_units })
}
