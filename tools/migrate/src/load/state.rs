//! The state folder: what a load needs to know when it is started again.
//!
//! By the time `state.json` is written, the table has everything that it says. However the program
//! ends, the next run finds the last complete `state.json`, and continues from there.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use storefront_core::Timestamp;

use crate::{Error, Key, Kind, Mapping, Reject};

const FORMAT: u32 = 1;
const FILE: &str = "state.json";
const LOCK: &str = "lock";

/// The folder, which only one program can use at a time.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// Locked while it is open, so the lock ends with the program at the latest.
    _lock: File,
}

/// What is being loaded, and how far the load is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct State {
    format: u32,
    pub(crate) of: Identity,
    /// The source's clock when the load began. Later changes are left to a catch-up.
    pub(super) begun: Timestamp,
    pub(super) progress: Progress,
    /// How many catch-ups have finished.
    pub(crate) catch_ups: u32,
    /// The source's clock when the last of them began.
    pub(super) caught_up: Option<Timestamp>,
}

/// A complete file of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Written {
    pub(super) name: String,
    pub(super) items: u64,
    /// Before compression.
    pub(super) bytes: u64,
}

/// What a load is from and to. It continues only if all of this is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Identity {
    /// A digest of the mapping without the URL.
    pub(super) mapping: String,
    /// The source's URL, without user, password and options.
    pub(super) source: String,
    /// The table, or the folder of an import.
    pub(crate) target: String,
    /// A table that was deleted and created again has another id.
    pub(crate) table_id: Option<String>,
}

/// How far a load is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Progress {
    /// The kinds that are loaded completely.
    pub(super) finished: Vec<Kind>,
    /// Of the next kind, everything up to and including this key is loaded.
    pub(super) after: Option<Key>,
    /// The length of the file of rejects at that point.
    pub(super) rejects_bytes: u64,
    /// The complete files of an import.
    pub(super) files: Vec<Written>,
    pub(super) counts: Counts,
}

/// How much was loaded, and how much was rejected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// The number of loaded users, products and orders.
    pub units: BTreeMap<Kind, u64>,
    /// The number of their items.
    pub items: u64,
    /// The number of rejects, by entity and reason.
    pub rejects: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Counts {
    pub(crate) fn add(&mut self, kind: Kind, items: usize) {
        *self.units.entry(kind).or_default() += 1;
        self.items += items as u64;
    }

    pub(crate) fn reject(&mut self, reject: &Reject) {
        let of_entity = self.rejects.entry(reject.entity.section().to_owned()).or_default();
        *of_entity.entry(reject.reason.kind().to_owned()).or_default() += 1;
    }

    /// Returns how many users, products or orders were read: loaded or rejected.
    pub(crate) fn done(&self, kind: Kind) -> u64 {
        let rejected = self.rejects.get(kind.entity().section());
        let rejected = rejected.into_iter().flat_map(BTreeMap::values).sum::<u64>();
        self.units.get(&kind).copied().unwrap_or_default() + rejected
    }

    /// Returns the number of rejects.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejects.values().flat_map(BTreeMap::values).sum()
    }
}

impl Folder {
    /// Opens the folder, and creates it if it does not exist. Only its owner can read it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |source| Error::State { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let lock = private().create(true).write(true).open(path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(Error::InUse(path.to_owned())),
            Err(fs::TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the state that the last run left; `None` if there has been no run.
    pub(crate) fn read(&self) -> Result<Option<State>, Error> {
        let path = self.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::State { path, source }),
        };
        match serde_json::from_slice::<State>(&text) {
            Ok(state) if state.format == FORMAT => Ok(Some(state)),
            Ok(_) => Err(Error::OtherState { path, why: "it is of another version".to_owned() }),
            Err(error) => Err(Error::OtherState { path, why: error.to_string() }),
        }
    }

    /// Replaces the state. When this returns, all of the new one is on disk.
    pub(super) fn write(&self, state: &State) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(state).map_err(io::Error::from);
        let written = text.and_then(|text| replace(&self.path, FILE, &text));
        written.map_err(|source| Error::State { path: self.join(FILE), source })
    }
}

impl State {
    pub(crate) fn new(of: Identity, begun: Timestamp) -> Self {
        Self {
            format: FORMAT,
            of,
            begun,
            progress: Progress::default(),
            catch_ups: 0,
            caught_up: None,
        }
    }

    /// Whether the load is complete.
    pub(crate) fn is_loaded(&self) -> bool {
        Kind::ALL.iter().all(|kind| self.progress.finished.contains(kind))
    }
}

impl Identity {
    pub(crate) fn new(
        mapping: &Mapping,
        url: &str,
        target: String,
        table_id: Option<String>,
    ) -> Result<Self, Error> {
        let text = serde_json::to_vec(mapping).map_err(Error::Json)?;
        let hash = Sha256::digest(text);
        let mapping = hash.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Ok(Self { mapping, source: without_secrets(url), target, table_id })
    }

    /// Whether both have the same target, whatever their sources are.
    pub(super) fn is_of_target(&self, other: &Self) -> bool {
        (&self.target, &self.table_id) == (&other.target, &other.table_id)
    }

    /// Returns the identity of an import once its files are in this table: while they are written,
    /// it is not known where they will go. Any other identity is returned unchanged.
    pub(crate) fn imported_into(&self, table: &Self) -> Self {
        let mut imported = self.clone();
        if super::is_import(&self.target) {
            (imported.target, imported.table_id) = (table.target.clone(), table.table_id.clone());
        }
        imported
    }

    /// Describes the first difference, if there is one.
    pub(crate) fn difference(&self, now: &Self) -> Option<String> {
        let differs = |what, then: &str, now: &str| format!("the {what} was {then}, but is {now}");
        if self.source != now.source {
            Some(differs("source", &self.source, &now.source))
        } else if self.target != now.target {
            Some(differs("target", &self.target, &now.target))
        } else if self.table_id != now.table_id {
            Some(format!("the table {} has been deleted and created again since", now.target))
        } else if self.mapping != now.mapping {
            Some("the mapping has changed".to_owned())
        } else {
            None
        }
    }
}

/// Returns options for a file that only its owner can read, because the folder may hold personal
/// data.
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Writes a file beside the existing one, and then replaces that with it.
pub(super) fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let beside = folder.join(format!("{name}.new"));
    let mut file = private().create(true).write(true).truncate(true).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, folder.join(name))?;
    // The name is stored in the folder.
    File::open(folder)?.sync_all()
}

/// Removes the user, the password and the options.
fn without_secrets(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}://{}", &rest[start..])
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_identified_without_its_secrets() {
        for (url, known) in [
            ("postgres://me:secret@host:5432/shop?password=secret", "postgres://host:5432/shop"),
            ("mysql://host/shop", "mysql://host/shop"),
            ("sqlite:shop.db?mode=ro", "sqlite:shop.db"),
        ] {
            assert_eq!(without_secrets(url), known);
        }
    }

    #[test]
    fn only_one_program_can_use_a_folder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Folder::open(folder.path()).unwrap();
        assert!(matches!(Folder::open(folder.path()), Err(Error::InUse(_))));
        drop(first);
        Folder::open(folder.path()).unwrap();
    }
}
