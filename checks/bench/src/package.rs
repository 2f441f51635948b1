//! The size of a deployed function.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The size of a function's program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Size {
    /// Unpacked, in bytes.
    pub bytes: u64,
    /// As the zip that is uploaded, in bytes.
    pub zipped_bytes: u64,
}

/// Returns the size of these files, packed under these names as by `sam` and `cargo lambda`:
/// deflated, at the default level.
///
/// # Errors
///
/// If a file cannot be read.
pub fn size(files: &[(PathBuf, String)]) -> io::Result<Size> {
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    let mut bytes = 0;
    for (path, name) in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(0o755)
            .large_file(is_large(path)?);
        zip.start_file(name, options)?;
        bytes += io::copy(&mut File::open(path)?, &mut zip)?;
    }
    let zipped = zip.finish()?.into_inner();
    Ok(Size { bytes, zipped_bytes: u64::try_from(zipped.len()).unwrap_or(u64::MAX) })
}

fn is_large(path: &Path) -> io::Result<bool> {
    Ok(fs::metadata(path)?.len() >= u64::from(u32::MAX))
}
