//! Loads a source into the table, or into files for DynamoDB's import from S3.
//!
//! Users come first, then products, then orders with their items. Wherever a load is interrupted,
//! the next run continues from the last checkpoint in the state folder. It writes some items a
//! second time, but unchanged: the same row always makes the same items.

pub(crate) mod batch;
pub(crate) mod claims;
pub(crate) mod display;
pub(crate) mod pace;
pub(crate) mod state;
pub(crate) mod table;

mod catch_up;
mod conditional;
mod import;
mod rejects;
mod sink;
mod summary;
mod writer;

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::TryStreamExt as _;
use storefront_core::schema::Item;

use self::claims::Claims;
use self::display::Display;
use self::import::Files;
use self::rejects::Rejects;
use self::sink::Sink;
pub use self::state::Counts;
use self::state::{Folder, Identity, State};
pub use self::summary::Summary;
use self::table::Target;
use self::writer::Writer;
use crate::source::Read;
use crate::{Error, Kind, Mapping, Reader, Reason, Reject, Unit, size};

/// The names of the files in the state folder, in addition to those of [`Folder`].
const REJECTS: &str = "rejects.jsonl";
const CLAIMS: &str = "claims.sqlite";

/// Returns the name of a catch-up's file of rejects.
pub(crate) fn catch_up_rejects(number: u32) -> String {
    format!("catch-up-{number}.jsonl")
}

/// In the state folder, the target of an import is this prefix and the path of its folder.
const IMPORT: &str = "import ";

/// Whether a target is the folder of an import, and not a table.
fn is_import(target: &str) -> bool {
    // The name of a table has no space.
    target.starts_with(IMPORT)
}

/// How often the progress is saved, and so how much work a kill costs.
const CHECKPOINT: Duration = Duration::from_millis(500);

/// What to load, and into what.
#[derive(Clone, Debug, Args)]
pub struct LoadArgs {
    /// The mapping. The source's URL is `DATABASE_URL`, or the one in the mapping.
    #[arg(long)]
    pub mapping: PathBuf,

    /// The table.
    #[arg(long, required_unless_present = "to")]
    pub table: Option<String>,

    /// DynamoDB's endpoint, if it is not AWS's own in the region (`AWS_ENDPOINT_URL_DYNAMODB`).
    #[arg(long)]
    pub endpoint_url: Option<String>,

    /// The most write capacity units to consume per second, including those of the index.
    #[arg(long, required_unless_present = "to")]
    pub max_wcu: Option<NonZeroU32>,

    /// The folder for the rejects and for what the load needs to continue after an interruption. It
    /// is created if it does not exist, and only its owner can read it.
    #[arg(long)]
    pub state: PathBuf,

    /// The most batches in flight at once. The load starts with few, and adds more as long as the
    /// table keeps up.
    #[arg(long, default_value = "32")]
    pub concurrency: NonZeroUsize,

    /// Loads what has changed in the source since the load, or since the last catch-up.
    ///
    /// After an import, it loads what has changed since the files were written, into the table that
    /// they were imported into. It finds rows by `updatedAt` and `createdAt`, and starts ten
    /// minutes earlier. What the shop itself has changed in the table since is kept and reported.
    /// Deleted rows, and changes that did not set `updatedAt`, are not seen.
    #[arg(long, conflicts_with = "to")]
    pub catch_up: bool,

    /// Writes everything again, over what an earlier load with this state folder has written: for
    /// example, after a change of the mapping.
    #[arg(long, conflicts_with = "catch_up")]
    pub start_over: bool,

    /// Writes files for DynamoDB's import from S3 instead: `--to import FOLDER`.
    #[arg(long, num_args = 2, value_names = ["import", "FOLDER"], conflicts_with_all = ["table", "max_wcu"])]
    pub to: Option<Vec<PathBuf>>,

    /// The size at which a file of an import is full, in bytes before compression. After an
    /// interruption, at least one file is written again.
    #[arg(long, default_value_t = 128 * 1024 * 1024)]
    pub file_bytes: u64,
}

/// Starts a load, or continues one.
pub async fn run(args: &LoadArgs) -> Result<Summary, Error> {
    let folder = Folder::open(&args.state)?;
    let mapping = Mapping::read(&args.mapping)?;
    let url = mapping.url()?;
    match (&args.to, &args.table) {
        (Some(to), _) => to_files(args, &folder, mapping, &url, import_folder(to)?).await,
        (None, table) => {
            let table = table.as_deref().unwrap_or_default();
            let target = Target::find(table, args.endpoint_url.clone()).await?;
            let identity = Identity::new(&mapping, &url, target.name.clone(), target.id.clone())?;
            if args.catch_up {
                return catch_up::run(args, &folder, mapping, &url, target, &identity).await;
            }
            to_table(args, &folder, mapping, &url, target, identity).await
        }
    }
}

fn import_folder(to: &[PathBuf]) -> Result<&PathBuf, Error> {
    match to {
        [other, folder] if other.as_os_str() == "import" => Ok(folder),
        _ => Err(Error::OtherTarget),
    }
}

async fn to_table(
    args: &LoadArgs,
    folder: &Folder,
    mapping: Mapping,
    url: &str,
    target: Target,
    identity: Identity,
) -> Result<Summary, Error> {
    let found = earlier(args, folder, &identity)?;
    // With --start-over, an earlier load may have filled the table.
    let is_known = folder.read()?.is_some_and(|state| state.of.is_of_target(&identity));
    if !is_known && !target.is_empty().await? {
        return Err(Error::NotEmpty(target.name));
    }
    let mut reader = Reader::open(mapping, url).await?;
    let state = found.unwrap_or_else(|| State::new(identity, reader.opened_at()));
    folder.write(&state)?;
    let max_wcu = args.max_wcu.map_or(u32::MAX, NonZeroU32::get);
    let writer = Writer::new(target.client, &target.name, max_wcu, args.concurrency.get());
    let mut display = Display::new();
    load(&mut reader, folder, state, Sink::Table(writer), &mut display).await
}

async fn to_files(
    args: &LoadArgs,
    folder: &Folder,
    mapping: Mapping,
    url: &str,
    target: &PathBuf,
) -> Result<Summary, Error> {
    let shown = std::path::absolute(target).unwrap_or_else(|_| target.clone());
    let identity = Identity::new(&mapping, url, format!("{IMPORT}{}", shown.display()), None)?;
    let found = earlier(args, folder, &identity)?;
    let done = found.as_ref().map(|state| state.progress.files.clone());
    let is_known = folder.read()?.is_some_and(|state| state.of.is_of_target(&identity));
    let files = Files::open(target, done.unwrap_or_default(), args.file_bytes, is_known)?;
    let mut reader = Reader::open(mapping, url).await?;
    let state = found.unwrap_or_else(|| State::new(identity, reader.opened_at()));
    folder.write(&state)?;
    load(&mut reader, folder, state, Sink::Files(files), &mut Display::new()).await
}

/// Returns the state of an earlier run. Fails if the state is of another load.
fn earlier(args: &LoadArgs, folder: &Folder, now: &Identity) -> Result<Option<State>, Error> {
    match folder.read()? {
        Some(_) if args.start_over => Ok(None),
        Some(state) => match state.of.difference(now) {
            None => Ok(Some(state)),
            Some(difference) => {
                Err(Error::OtherLoad { folder: folder.path().to_owned(), difference })
            }
        },
        None => Ok(None),
    }
}

/// Loads everything that is not loaded yet.
async fn load(
    reader: &mut Reader,
    folder: &Folder,
    mut state: State,
    mut sink: Sink,
    display: &mut Display,
) -> Result<Summary, Error> {
    let mut rejects = Rejects::open(&folder.join(REJECTS), state.progress.rejects_bytes)?;
    let mut checkpoint = Instant::now();
    for kind in Kind::ALL {
        if state.progress.finished.contains(&kind) {
            continue;
        }
        let mut claims = match kind {
            Kind::User => {
                display.line("Reading all users once, to see which of them share an email.");
                Some(Claims::read(reader, &folder.join(CLAIMS)).await?)
            }
            _ => None,
        };
        let mut progress = state.progress.clone();
        let total = reader.count(kind).await?;
        let done = progress.counts.done(kind);
        display.begin(kind.entity().section(), total, done, progress.counts.items);
        let mut reads = reader.units(kind, progress.after.clone());
        while let Some(read) = reads.try_next().await? {
            let resume_after = read.resume_after.clone();
            match judged(read, claims.as_mut()).await? {
                Ok((_, items)) => {
                    progress.counts.add(kind, items.len());
                    sink.put(items).await?;
                }
                Err(reject) => {
                    rejects.write(&reject)?;
                    progress.counts.reject(&reject);
                }
            }
            if resume_after.is_some() {
                progress.after = resume_after;
                progress.rejects_bytes = rejects.bytes();
                sink.reach(&progress)?;
            }
            let (done, items) = (progress.counts.done(kind), progress.counts.items);
            display.step(done, items, || sink.spent());
            if checkpoint.elapsed() > CHECKPOINT
                && let Some(settled) = sink.settled()
            {
                checkpoint = Instant::now();
                state.progress = settled;
                rejects.sync()?;
                folder.write(&state)?;
            }
        }
        drop(reads);
        sink.finish().await?;
        progress.after = None;
        progress.finished.push(kind);
        progress.rejects_bytes = rejects.bytes();
        sink.complete(&mut progress);
        // What the sink settled before is older than this progress.
        drop(sink.settled());
        state.progress = progress;
        rejects.sync()?;
        folder.write(&state)?;
        if let Some(claims) = claims {
            claims.remove().await?;
        }
        display.end();
    }
    if let Sink::Files(files) = &sink {
        files.write_manifest(&state.progress)?;
    }
    Ok(Summary::of_load(&state.progress.counts, rejects.path(), sink.units()))
}

/// A unit and its items, or a reject if something is wrong with them.
pub(crate) type Judged = Result<(Unit, Vec<Item>), Box<Reject>>;

/// Returns a unit and its items, or a reject, which includes a user who lost a claim.
pub(crate) async fn judged(read: Read, claims: Option<&mut Claims>) -> Result<Judged, Error> {
    let lost = match (claims, &read.key, &read.unit) {
        (Some(claims), Some(key), Ok(_)) => claims.lost(key).await?,
        _ => None,
    };
    items(read, lost)
}

/// Returns a unit and its items, or a reject: for the given reason, or because an item is too
/// large.
pub(crate) fn items(read: Read, rejected: Option<Reason>) -> Result<Judged, Error> {
    let mut items = Ok(Vec::new());
    let judged = read.judged(|unit| {
        if let Some(reason) = rejected {
            return Err(reason);
        }
        items = unit.to_items();
        let largest = items.iter().flatten().map(size::item).max().unwrap_or_default();
        if largest > size::MAX_ITEM {
            return Err(Reason::TooLarge { bytes: largest });
        }
        Ok(())
    });
    match judged {
        Ok(unit) => Ok(Ok((unit, items.map_err(Error::Item)?))),
        Err(reject) => Ok(Err(reject)),
    }
}
