//! For other programs.

use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::Error;

pub(crate) fn write(report: &impl Serialize, path: &Path) -> Result<(), Error> {
    let text =
        serde_json::to_string_pretty(report).map_err(|error| Error::file(path)(error.into()))?;
    fs::write(path, text + "\n").map_err(Error::file(path))
}
