//! A local copy of the bucket of failed records.
//!
//! Lambda writes one object per batch that it gives up on, under
//! `aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<uuid>`, without an extension. The
//! local cloud writes the same document into one folder per consumer, as `.json`. The function
//! `order-events` writes such a document per record that it puts aside, under
//! `order-events/YYYY-MM-DD/`.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Error;

/// The folder for delivered files. No key in the bucket begins like this.
const DELIVERED: &str = "delivered";

pub(crate) struct Folder(PathBuf);

/// Why a file's records cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("the file cannot be read: {0}")]
    File(#[from] io::Error),
    #[error("this is not an invocation record: {0}")]
    Json(#[from] serde_json::Error),
    #[error(
        "this invocation record has no payload; only an S3 bucket as the on-failure destination \
         gets the records themselves"
    )]
    NoPayload,
}

/// The part of an invocation record that is used.
#[derive(Deserialize)]
struct InvocationRecord {
    payload: Option<Box<RawValue>>,
}

/// The event that the function was invoked with.
#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Box<RawValue>>,
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Returns the paths, relative to the folder, of all files that are not delivered.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let mut files = Vec::new();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let path = self.0.join(&folder);
            let failed = |source| Error::Folder { path: path.clone(), source };
            for entry in fs::read_dir(&path).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let kind = entry.file_type().map_err(failed)?;
                let inner = folder.join(entry.file_name());
                let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
                if is_hidden || inner == Path::new(DELIVERED) {
                    continue;
                }
                if kind.is_dir() {
                    folders.push(inner);
                } else if kind.is_file() {
                    files.push(inner);
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// Reads the records of a file, in stream order.
    pub(crate) fn records(&self, file: &Path) -> Result<Vec<Box<RawValue>>, Unreadable> {
        let document: InvocationRecord = serde_json::from_slice(&fs::read(self.0.join(file))?)?;
        let payload = document.payload.ok_or(Unreadable::NoPayload)?;
        // The function's event, as a JSON string; emulators write the object itself.
        let batch: Batch = if payload.get().starts_with('"') {
            serde_json::from_str(&serde_json::from_str::<String>(payload.get())?)?
        } else {
            serde_json::from_str(payload.get())?
        };
        Ok(batch.records)
    }

    pub(crate) fn move_to_delivered(&self, file: &Path) -> Result<(), Error> {
        let (from, to) = (self.0.join(file), self.0.join(DELIVERED).join(file));
        let moved = to.parent().map_or(Ok(()), fs::create_dir_all);
        moved.and_then(|()| fs::rename(&from, &to)).map_err(|source| Error::Move {
            from,
            to,
            source,
        })
    }
}
