//! Files for DynamoDB's import from S3: gzip, a line of DynamoDB JSON for each item.
//!
//! The folder has `data`, which is what to upload, and beside it `manifest.json`: an import reads
//! everything under its prefix as items.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde_json::json;
use storefront_core::schema::Item;

use super::state::{self, Progress, Written};
use crate::Error;

const DATA: &str = "data";
const MANIFEST: &str = "manifest.json";
/// The suffix of a file until it is complete.
const PARTIAL: &str = ".partial";

/// Writes one file after another.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    data: PathBuf,
    max_bytes: u64,
    written: Vec<Written>,
    current: Option<(GzEncoder<BufWriter<File>>, Written)>,
    settled: Option<Progress>,
}

#[derive(Serialize)]
struct Line {
    #[serde(rename = "Item")]
    item: serde_dynamo::Item,
}

impl Files {
    /// Continues after the complete files, and removes what an earlier run has only begun.
    pub(super) fn open(
        folder: &Path,
        written: Vec<Written>,
        max_bytes: u64,
        is_known: bool,
    ) -> Result<Self, Error> {
        let data = folder.join(DATA);
        let files = Self {
            folder: folder.to_owned(),
            max_bytes,
            written,
            current: None,
            settled: None,
            data,
        };
        fs::create_dir_all(&files.data).map_err(|source| files.failed(source))?;
        for entry in fs::read_dir(&files.data).map_err(|source| files.failed(source))? {
            let entry = entry.map_err(|source| files.failed(source))?;
            let name = entry.file_name();
            if files.written.iter().any(|written| name == *written.name) {
                continue;
            }
            if !is_known {
                return Err(Error::FolderNotEmpty(files.data));
            }
            fs::remove_file(entry.path()).map_err(|source| files.failed(source))?;
        }
        Ok(files)
    }

    pub(super) fn put(&mut self, items: Vec<Item>) -> Result<(), Error> {
        let failed = |source| Error::State { path: self.data.clone(), source };
        if self.current.is_none() {
            let name = format!("items-{:05}.json.gz", self.written.len() + 1);
            let path = self.data.join(format!("{name}{PARTIAL}"));
            let file = state::private().create(true).write(true).truncate(true).open(path);
            let file = BufWriter::new(file.map_err(failed)?);
            let encoder = GzEncoder::new(file, Compression::default());
            self.current = Some((encoder, Written { name, items: 0, bytes: 0 }));
        }
        if let Some((encoder, written)) = &mut self.current {
            for item in items {
                let line = Line { item: item.into() };
                let mut line = serde_json::to_vec(&line).map_err(Error::Json)?;
                line.push(b'\n');
                encoder.write_all(&line).map_err(failed)?;
                written.items += 1;
                written.bytes += line.len() as u64;
            }
        }
        Ok(())
    }

    /// Ends a full file. Files end only where a load can continue.
    pub(super) fn reach(&mut self, progress: &Progress) -> Result<(), Error> {
        let is_full =
            self.current.as_ref().is_some_and(|(_, written)| written.bytes >= self.max_bytes);
        if is_full {
            self.finish()?;
            let files = self.written.clone();
            self.settled = Some(Progress { files, ..progress.clone() });
        }
        Ok(())
    }

    pub(super) fn settled(&mut self) -> Option<Progress> {
        self.settled.take()
    }

    /// Completes the current file.
    pub(super) fn finish(&mut self) -> Result<(), Error> {
        let Some((encoder, written)) = self.current.take() else { return Ok(()) };
        let done = || {
            let file = encoder.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
            let partial = self.data.join(format!("{}{PARTIAL}", written.name));
            fs::rename(partial, self.data.join(&written.name))?;
            File::open(&self.data)?.sync_all()
        };
        done().map_err(|source| self.failed(source))?;
        self.written.push(written);
        Ok(())
    }

    pub(super) fn written(&self) -> &[Written] {
        &self.written
    }

    /// Writes the manifest, with which an operator starts the import and checks that all of it
    /// arrived.
    pub(super) fn write_manifest(&self, progress: &Progress) -> Result<(), Error> {
        let manifest = json!({
            "inputFormat": "DYNAMODB_JSON",
            "inputCompressionType": "GZIP",
            "items": progress.counts.items,
            "users": progress.counts.units.get(&crate::Kind::User).copied().unwrap_or_default(),
            "products": progress.counts.units.get(&crate::Kind::Product).copied().unwrap_or_default(),
            "orders": progress.counts.units.get(&crate::Kind::Order).copied().unwrap_or_default(),
            "files": self.written,
        });
        let text = serde_json::to_vec_pretty(&manifest).map_err(Error::Json)?;
        state::replace(&self.folder, MANIFEST, &text).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::State { path: self.data.clone(), source }
    }
}
