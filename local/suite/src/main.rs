//! Prints the document.

use std::io::{self, Write as _};

fn main() -> io::Result<()> {
    let document = storefront_suite::document().map_err(io::Error::other)?;
    io::stdout().write_all(document.as_bytes())
}
