//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::generate::{self, GenerateArgs};
use crate::{Error, Mapping, Reader, check};

/// Moves a shop from PostgreSQL, MySQL, MariaDB or SQLite.
#[derive(Debug, Parser)]
#[command(name = "storefront-migrate", version)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tries a mapping: which columns are found, and what is wrong with the first rows.
    ///
    /// Reads the first page of users, of products, and of orders with their items, and writes
    /// nothing. Rows that break a rule are shown, and are no failure; a mapping that does not fit
    /// the database is one.
    Check {
        /// The mapping. The source's URL is `DATABASE_URL`, or what the mapping says.
        #[arg(long)]
        mapping: PathBuf,
    },
    /// Fills an empty database with the data of an example, to try a migration with.
    Generate(GenerateArgs),
}

/// Does what the command line says.
pub async fn run(args: Args) -> Result<(), Error> {
    match args.command {
        Command::Check { mapping } => {
            let mapping = Mapping::read(&mapping)?;
            let url = mapping.url()?;
            let mut reader = Reader::open(mapping, &url).await?;
            print!("{}", check::check(&mut reader).await?);
            reader.close().await
        }
        Command::Generate(args) => {
            let written = generate::run(&args).await?;
            println!("{written}");
            Ok(())
        }
    }
}
