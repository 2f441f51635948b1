//! The consumer's position in the stream, kept across runs.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use crate::Error;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    stream_arn: String,
    sequence_number: String,
}

/// The last acknowledged record, and the file that keeps it, if any.
pub(crate) struct Checkpoint {
    path: Option<PathBuf>,
    stream_arn: String,
    saved: Option<String>,
}

impl Checkpoint {
    /// Reads the file. Ignores a file of another stream, which belongs to another table.
    pub(crate) fn open(path: Option<PathBuf>, stream_arn: &str) -> Result<Self, Error> {
        let mut checkpoint = Self { path, stream_arn: stream_arn.to_owned(), saved: None };
        let Some(path) = &checkpoint.path else {
            return Ok(checkpoint);
        };
        match fs::read(path) {
            Ok(bytes) => {
                let content: Content = serde_json::from_slice(&bytes)
                    .map_err(|source| Error::Checkpoint { path: path.clone(), source })?;
                if content.stream_arn == stream_arn {
                    checkpoint.saved = Some(content.sequence_number);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::DataDir { path: path.clone(), source }),
        }
        Ok(checkpoint)
    }

    pub(crate) fn sequence_number(&self) -> Option<&str> {
        self.saved.as_deref()
    }

    /// Acknowledges everything up to this record. Once it returns, that survives a crash.
    pub(crate) async fn save(&mut self, sequence_number: &str) -> io::Result<()> {
        if self.saved.as_deref() == Some(sequence_number) {
            return Ok(());
        }
        if let Some(path) = &self.path {
            let content = Content {
                stream_arn: self.stream_arn.clone(),
                sequence_number: sequence_number.to_owned(),
            };
            write_durably(path.clone(), serde_json::to_vec(&content)?).await?;
        }
        self.saved = Some(sequence_number.to_owned());
        Ok(())
    }
}

/// Writes a file completely or not at all, even if the process or the machine stops. Runs off the
/// executor, because a disk may take a second to confirm a write.
pub(crate) async fn write_durably(path: PathBuf, content: Vec<u8>) -> io::Result<()> {
    spawn_blocking(move || write(&path, &content)).await?
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("draft");
    let mut file = File::create(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        // The rename changes the folder, which can be flushed only on Unix.
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_checkpoint_is_used_only_for_its_own_stream() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().join("checkpoint.json"));
        let mut checkpoint = Checkpoint::open(path.clone(), "arn/1").unwrap();
        assert_eq!(checkpoint.sequence_number(), None);
        checkpoint.save("100").await.unwrap();
        checkpoint.save("200").await.unwrap();

        let again = Checkpoint::open(path.clone(), "arn/1").unwrap();
        assert_eq!(again.sequence_number(), Some("200"));
        let other = Checkpoint::open(path, "arn/2").unwrap();
        assert_eq!(other.sequence_number(), None);
    }
}
