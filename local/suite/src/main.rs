//! Writes the documents that are generated from the code.

use std::error::Error;
use std::fs;
use std::path::Path;

use clap::Parser;
use storefront_suite::openapi;

/// Writes the documents that are generated from the code.
#[derive(Parser)]
enum Command {
    /// Writes openapi.json.
    Openapi,
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match Command::parse() {
        Command::Openapi => fs::write(root.join("openapi.json"), openapi::document()?)?,
    }
    Ok(())
}
