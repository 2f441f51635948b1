//! The state file: what a run needs to continue one that was interrupted.
//!
//! By the time it says that a page is done, the table has everything that the page needed. However
//! the program ends, the next run works on a part of a page twice at most, which does no harm.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::num::NonZeroU8;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::TableDescription;
use serde::{Deserialize, Serialize};
use storefront_core::Timestamp;

use super::Counts;
use crate::error::Error;

const FORMAT: u32 = 1;

/// The time between two lines about the progress.
const LINES: Duration = Duration::from_secs(10);

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    format: u32,
    of: Identity,
    /// How far each segment is.
    segments: Vec<Position>,
    counts: Counts,
    /// When all segments were done.
    finished: Option<Timestamp>,
}

/// What tells a table from all others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Identity {
    /// With account and region. Emulators may not have it.
    arn: Option<String>,
    name: String,
    /// A table that was deleted and created again has another one.
    id: Option<String>,
}

/// How far a segment is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Position {
    Start,
    /// Everything up to and including the item with this key is done.
    After {
        pk: String,
        sk: String,
    },
    Done,
}

/// The state, and the file that it is saved in.
pub(super) struct Progress {
    /// `None` for a dry run.
    path: Option<PathBuf>,
    state: State,
    shown: Instant,
}

impl Identity {
    pub(super) fn new(name: &str, table: Option<&TableDescription>) -> Self {
        let arn = table.and_then(|table| table.table_arn.clone());
        let id = table.and_then(|table| table.table_id.clone());
        Self { arn, name: name.to_owned(), id }
    }
}

impl State {
    pub(super) fn new(of: Identity, segments: NonZeroU8) -> Self {
        let segments = vec![Position::Start; segments.get().into()];
        Self { format: FORMAT, of, segments, counts: Counts::default(), finished: None }
    }

    pub(super) fn segments(&self) -> usize {
        self.segments.len()
    }

    pub(super) fn position(&self, segment: usize) -> &Position {
        &self.segments[segment]
    }

    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Progress {
    pub(super) fn unsaved(state: State) -> Self {
        Self { path: None, state, shown: Instant::now() }
    }

    /// Continues what the file describes, or starts if there is no file or the run that it describes
    /// has finished.
    pub(super) fn open(path: PathBuf, of: Identity, segments: NonZeroU8) -> Result<Self, Error> {
        let other = |why: String| Error::OtherState { path: path.clone(), why };
        let state = match fs::read(&path) {
            Ok(text) => {
                let state: State =
                    serde_json::from_slice(&text).map_err(|error| other(error.to_string()))?;
                if state.format != FORMAT {
                    return Err(other("it is of another version".to_owned()));
                }
                if state.of != of {
                    return Err(other(format!("it is of {}, but this is {of}", state.of)));
                }
                Some(state)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(Error::State { path, source }),
        };
        let state = match state {
            Some(State { finished: Some(finished), .. }) => {
                eprintln!("the last run finished at {finished}; starting again");
                State::new(of, segments)
            }
            Some(state) => {
                let (items, segments) = (state.counts.items, state.segments());
                eprintln!("continuing after {items} items, in {segments} segments");
                state
            }
            None => State::new(of, segments),
        };
        Ok(Self { path: Some(path), state, shown: Instant::now() })
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Notes that a page of a segment is done, and saves it.
    pub(super) fn page_done(
        &mut self,
        segment: usize,
        position: Position,
        page: Counts,
    ) -> Result<(), Error> {
        let state = &mut self.state;
        state.segments[segment] = position;
        state.counts.add_all(page);
        if state.segments.iter().all(|position| *position == Position::Done) {
            state.finished = Some(Timestamp::now());
        }
        if self.shown.elapsed() > LINES {
            self.shown = Instant::now();
            let (items, orders) = (state.counts.items, state.counts.orders);
            let products = state.counts.products();
            eprintln!(
                "{items} items looked at, {products} of them products and {orders} of them orders"
            );
        }
        let Some(path) = &self.path else { return Ok(()) };
        let text = serde_json::to_vec_pretty(state).map_err(io::Error::from);
        let written = text.and_then(|text| replace(path, &text));
        written.map_err(|source| Error::State { path: path.clone(), source })
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { arn, name, id } = self;
        write!(f, "the table {}", arn.as_ref().unwrap_or(name))?;
        match id {
            Some(id) => write!(f, " ({id})"),
            None => Ok(()),
        }
    }
}

/// Writes a file beside the existing one, and then replaces that with it. The keys in it may contain
/// emails, so only its owner can read it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // Two runs at once do no harm, as long as they do not write into the same file.
    let beside = path.with_added_extension(format!("{}.new", process::id()));
    let mut file =
        OpenOptions::new().mode(0o600).create(true).write(true).truncate(true).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The name is stored in the folder.
    match path.parent() {
        Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
