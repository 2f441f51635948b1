//! Differences, and the file of them.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::item::ItemKey;
use crate::load::state;
use crate::{Error, Kind};

/// How many differences the summary shows.
const SHOWN: usize = 20;

/// An item that is not the same in the source and the table. Contains names but no values, which
/// may be personal data or a password's hash.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Difference {
    /// The kind of its unit; `None` if the shop has no items of its type.
    pub(super) entity: Option<Kind>,
    /// Its key in the source.
    pub(super) legacy_id: Option<String>,
    #[serde(rename = "_type")]
    pub(super) item_type: String,
    #[serde(flatten)]
    pub(super) key: ItemKey,
    /// The user of an email's guard, because the email itself is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_id: Option<String>,
    #[serde(flatten)]
    pub(super) what: What,
}

/// How an item differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "camelCase")]
pub(super) enum What {
    /// The table does not have it.
    Missing,
    /// The table has it with other attributes.
    Differs { attributes: Vec<String> },
    /// The table has it, but should not.
    Unexpected { why: String },
    /// The table has it, but the shop shows something else.
    Shown { by: &'static str },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = self.entity {
            write!(f, "{}", kind.entity())?;
            if let Some(legacy_id) = &self.legacy_id {
                write!(f, " {legacy_id}")?;
            }
            f.write_str(": ")?;
        }
        write!(f, "{} {} {}", self.item_type, self.key.pk, self.key.sk)?;
        match &self.what {
            What::Missing => f.write_str(" is not in the table"),
            What::Differs { attributes } => write!(f, " differs in {}", attributes.join(", ")),
            What::Unexpected { why } => write!(f, " is unexpected: {why}"),
            What::Shown { by } => write!(f, " is not what {by} returns"),
        }
    }
}

/// All differences: the first few in memory, all of them in a file.
#[derive(Debug)]
pub(super) struct Differences {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    first: Vec<Difference>,
    count: u64,
}

impl Differences {
    /// Removes the file of an earlier run.
    pub(super) fn open(path: PathBuf) -> Result<Self, Error> {
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::WriteFile { path, source });
            }
            _ => {}
        }
        Ok(Self { path, file: None, first: Vec::new(), count: 0 })
    }

    /// Records a difference.
    pub(super) fn note(&mut self, mut difference: Difference) -> Result<(), Error> {
        difference.key = difference.key.shown();
        let mut line = serde_json::to_vec(&difference).map_err(Error::Json)?;
        line.push(b'\n');
        let failed = |source| Error::WriteFile { path: self.path.clone(), source };
        let file = if let Some(file) = &mut self.file {
            file
        } else {
            let file = state::private().create_new(true).write(true).open(&self.path);
            self.file.insert(BufWriter::new(file.map_err(failed)?))
        };
        file.write_all(&line).map_err(failed)?;
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(difference);
        }
        Ok(())
    }

    /// Returns when everything is in the file.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        let flushed = self.file.as_mut().map_or(Ok(()), io::Write::flush);
        flushed.map_err(|source| Error::WriteFile { path: self.path.clone(), source })
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn first(&self) -> &[Difference] {
        &self.first
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
