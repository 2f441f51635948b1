//! The folder that keeps the data between runs. Only one local cloud can use it at a time.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::Error;

const DATABASE: &str = "dynamodb.sqlite";
const FILLING: &str = "filling";

/// A data folder that no other process can use while this value exists.
pub(crate) struct DataDir {
    path: PathBuf,
    /// Locked until it is closed, even if the process crashes.
    _lock: File,
}

impl DataDir {
    pub(crate) fn claim(path: &Path) -> Result<Self, Error> {
        let unusable = |source| Error::DataDir { path: path.to_owned(), source };
        create(path).map_err(unusable)?;
        let lock = File::create(path.join("lock")).map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {
                let data_dir = Self { path: path.to_owned(), _lock: lock };
                data_dir.forget_interrupted_filling().map_err(unusable)?;
                Ok(data_dir)
            }
            Err(TryLockError::WouldBlock) => Err(Error::DataDirInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Returns the file that keeps the messages of queues.
    pub(crate) fn queues(&self) -> PathBuf {
        self.path.join("queues.sqlite")
    }

    /// Until [`filling_is_done`](Self::filling_is_done), the database has only a part of the
    /// catalogue.
    pub(crate) fn filling_begins(&self) -> Result<(), Error> {
        File::create(self.path.join(FILLING)).map(drop).map_err(|error| self.unusable(error))
    }

    pub(crate) fn filling_is_done(&self) -> Result<(), Error> {
        fs::remove_file(self.path.join(FILLING)).map_err(|error| self.unusable(error))
    }

    /// Deletes the database of an interrupted first start, which would have half a catalogue for
    /// good.
    fn forget_interrupted_filling(&self) -> io::Result<()> {
        if !self.path.join(FILLING).exists() {
            return Ok(());
        }
        for suffix in ["", "-wal", "-shm"] {
            match fs::remove_file(self.path.join(format!("{DATABASE}{suffix}"))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::remove_file(self.path.join(FILLING))
    }

    fn unusable(&self, source: io::Error) -> Error {
        Error::DataDir { path: self.path.clone(), source }
    }
}

/// Creates the folder if it is missing, for its owner only: it contains passwords' hashes.
fn create(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut folder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    match folder.create(path) {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        created => created,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_an_interrupted_first_start_the_next_one_starts_over() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::claim(folder.path()).unwrap();
        data_dir.filling_begins().unwrap();
        fs::write(data_dir.database(), "half").unwrap();
        drop(data_dir);

        let data_dir = DataDir::claim(folder.path()).unwrap();
        assert!(!data_dir.database().exists());
        data_dir.filling_begins().unwrap();
        fs::write(data_dir.database(), "whole").unwrap();
        data_dir.filling_is_done().unwrap();
        drop(data_dir);

        let data_dir = DataDir::claim(folder.path()).unwrap();
        assert!(data_dir.database().exists());
    }
}
