//! Reads the table back, and holds it against the source, both ways.
//!
//! First every unit of the source is read, made into items as a load does, and compared with what the
//! table has under their keys. Then the table is scanned, and each item looked up in the source. What is
//! kept does not grow with the rows: some batches, some pages, and a temporary file for who has which
//! email.

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

/// The file of differences, where nobody says another.
const DIFFERENCES: &str = "differences.jsonl";

/// What to compare.
#[derive(Clone, Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The mapping. The source's URL is `DATABASE_URL`, or what the mapping says.
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,

    /// The table.
    #[arg(long, value_name = "NAME")]
    table: String,

    /// Where DynamoDB is, if it is not AWS's own endpoint of the region (`AWS_ENDPOINT_URL_DYNAMODB`).
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,

    /// How many read capacity units a second may be consumed; as many as the table gives without it.
    #[arg(long, value_name = "RCU")]
    max_rcu: Option<NonZeroU32>,

    /// The state folder of the load: it must be of this mapping, source and table, and be through. What
    /// its catch-ups left as the table has it is then no difference.
    #[arg(long, value_name = "FOLDER")]
    state: Option<PathBuf>,

    /// Where all differences are written, a line of JSON each, readable by its owner only. Without it
    /// `differences.jsonl` in the state folder, or else in the working directory. One of an earlier run
    /// is removed.
    #[arg(long, value_name = "FILE")]
    differences: Option<PathBuf>,

    /// In how many parts the table is scanned at once.
    #[arg(long, value_name = "N", default_value_t = 4,
          value_parser = clap::value_parser!(u16).range(1..=1000))]
    segments: u16,

    /// How many users, products and orders are also read as the shop reads them, of each kind, by
    /// chance, of those that are equal.
    #[arg(long, value_name = "N", default_value_t = 25)]
    samples: usize,

    /// Counts what the shop itself has made or changed since as differences, too: for a table that
    /// nobody uses yet.
    #[arg(long)]
    strict: bool,
}

/// What is known by now.
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
    samples: Samples,
    differences: Differences,
    display: Display,
}

/// Compares, and says what it found.
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
        samples: Samples::new(args.samples),
        differences,
        display,
    };
    forward::run(&mut verification, &mut reader).await?;
    backward::run(&mut verification, &mut reader, args.segments).await?;
    reader.close().await?;
    let Verification { reads, counts, sides, changed, kept, samples, mut differences, .. } =
        verification;
    let table = Table::new(target.reads, target.name);
    for difference in samples.read(table).await? {
        differences.note(difference)?;
    }
    differences.finish()?;
    let read_units = reads.spent().units;
    Ok(Summary { counts, sides, changed, kept, samples, differences, read_units })
}
