//! Where a report goes besides the terminal.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::json;
use crate::Error;

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Writes all figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,

    /// Writes a page with plots to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

impl Output {
    pub(crate) fn write(&self, report: &impl Serialize, page: &str) -> Result<(), Error> {
        if let Some(path) = &self.json {
            json::write(report, path)?;
        }
        self.html.as_ref().map_or(Ok(()), |path| fs::write(path, page).map_err(Error::file(path)))
    }
}
