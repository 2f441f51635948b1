//! The file of rejects.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::state;
use crate::{Error, Reject};

/// Lines of JSON, each a reject with its row. Rows are personal data, so only the owner can read
/// the file.
#[derive(Debug)]
pub(super) struct Rejects {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
}

impl Rejects {
    /// Opens the file to continue after this many bytes. Later rejects are removed, and will be
    /// found again.
    pub(super) fn open(path: &Path, bytes: u64) -> Result<Self, Error> {
        let opened = || {
            let mut file = state::private().create(true).truncate(false).write(true).open(path)?;
            if file.metadata()?.len() < bytes {
                let message = "it is shorter than it was";
                return Err(std::io::Error::other(message));
            }
            file.set_len(bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = opened().map_err(|source| Error::State { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), bytes })
    }

    pub(super) fn write(&mut self, reject: &Reject) -> Result<(), Error> {
        let mut line = serde_json::to_vec(reject).map_err(Error::Json)?;
        line.push(b'\n');
        self.bytes += line.len() as u64;
        self.file.write_all(&line).map_err(|source| self.failed(source))
    }

    /// Returns the length of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns when the whole file is on disk.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_data());
        synced.map_err(|source| self.failed(source))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::State { path: self.path.clone(), source }
    }
}
