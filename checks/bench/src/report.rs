//! The output of a run: Markdown tables, which are readable in a terminal too, and all figures as
//! JSON.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use crate::Error;

/// Where the report is written, besides the terminal.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Writes all figures to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

impl Output {
    /// Prints the text, and writes the figures to the file.
    pub(crate) fn write(&self, text: &str, figures: &impl Serialize) -> Result<(), Error> {
        print!("{text}");
        let Some(path) = &self.json else { return Ok(()) };
        let json = serde_json::to_string_pretty(figures);
        let json = json.map_err(|error| Error::file(path)(error.into()))?;
        fs::write(path, json + "\n").map_err(Error::file(path))
    }
}

/// A table whose first `texts` columns are text, and the others numbers.
pub(crate) fn table(header: &[&str], texts: usize) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(texts) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Converts bytes to megabytes, and instructions to millions.
pub(crate) fn millions(number: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "it is shown with one or two decimals")]
    let number = number as f64;
    number / 1e6
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
