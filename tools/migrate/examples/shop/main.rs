//! Writes a shop for trying a migration to the standard output, as SQL:
//!
//! ```sh
//! cargo run -p storefront-migrate --example shop -- integer-keys --orders 2000 | sqlite3 shop.db
//! ```
//!
//! `psql` and `mysql` accept the same statements. The database must not have these tables yet.

mod generate;

use std::io::{self, BufWriter, Write as _};

use clap::Parser;

use self::generate::{Example, Shop};

/// Writes a shop in the schema of an example, as SQL: the tables and their rows.
#[derive(Debug, Parser)]
#[command(name = "shop")]
struct Args {
    /// The example whose schema is used.
    example: Example,

    /// The number of orders. There is a customer for every ten of them, and a product for every
    /// fifty.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    orders: u32,

    /// The same seed generates the same shop.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// How many of a thousand customers, products and orders break a rule.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1000))]
    broken: u32,
}

fn main() -> io::Result<()> {
    let args = Args::parse();
    let shop = Shop::new(args.orders, args.seed, args.broken);
    let mut output = BufWriter::new(io::stdout().lock());
    let written = generate::write(args.example, &shop, &mut output)?;
    output.flush()?;
    eprintln!("{written}");
    Ok(())
}
