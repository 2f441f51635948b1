//! Writes the documents that are generated from the code.

use std::error::Error;
use std::fs;
use std::path::Path;

use clap::Parser;
use storefront_suite::{docs, openapi};

/// Writes the documents that are generated from the code.
#[derive(Parser)]
enum Command {
    /// Writes openapi.json.
    Openapi,
    /// Writes the generated parts of README.md and docs/.
    Docs,
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match Command::parse() {
        Command::Openapi => fs::write(root.join("openapi.json"), openapi::document()?)?,
        Command::Docs => {
            for path in docs::update(&root)? {
                println!("wrote {}", path.display());
            }
        }
    }
    Ok(())
}
