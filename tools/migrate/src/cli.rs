//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::load::{self, LoadArgs};
use crate::review::{self, ReviewArgs};
use crate::verify::{self, VerifyArgs};
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
    /// Tries a mapping: shows which columns are found, and what is wrong with the first rows.
    ///
    /// Reads the first page of users, of products, and of orders with their items, and writes
    /// nothing. Rows that break a rule are shown, but are not a failure; a mapping that does not
    /// fit the database is.
    Check {
        /// The mapping. The source's URL is `DATABASE_URL`, or the one in the mapping.
        #[arg(long)]
        mapping: PathBuf,
    },
    /// Reports what a move would do: what would be in the table, what would be rejected, what it
    /// would cost, and which queries have no access pattern. Reads the whole source once.
    Review(ReviewArgs),
    /// Loads users, products, and orders with their items into the table, or continues a load.
    ///
    /// The table must be empty, or filled by a load with the same state folder. Rows that break a
    /// rule are not loaded: they are in the file `rejects.jsonl` in the state folder, each with the
    /// reason, and the exit code is 3. Of users whose emails differ only in capitals or spaces, the
    /// one with the earliest `createdAt` is loaded (of several, the one whose key comes first), and
    /// the others are rejected. Orders of rejected users are loaded, because the shop also keeps
    /// the orders of deleted users.
    Load(Box<LoadArgs>),
    /// Compares the table with the source, item by item and in both directions, and lists each
    /// difference.
    ///
    /// The table must have exactly what a load would write, and nothing else. Rows that a load
    /// rejects must be missing. Items that the shop itself has created or changed since are counted
    /// separately, and so is what a catch-up has kept (with --state). What has been deleted since,
    /// in the source or in the table, is a difference. The source is read as it is now: changes
    /// that no load has seen are differences. Writes nothing except the file of differences. The
    /// credentials must allow `DescribeTable`, `BatchGetItem` and `Scan`, and `GetItem` and
    /// `Query`, also on the index. The exit code is 0 if both agree, and 4 if they do not.
    Verify(Box<VerifyArgs>),
}

/// The result of a command that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is done.
    Done,
    /// Everything is done except the rejects.
    Rejects,
    /// The table differs from the source.
    Differences,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<Outcome, Error> {
    match args.command {
        Command::Check { mapping } => {
            let mapping = Mapping::read(&mapping)?;
            let url = mapping.url()?;
            let mut reader = Reader::open(mapping, &url).await?;
            print!("{}", check::check(&mut reader).await?);
            reader.close().await?;
            Ok(Outcome::Done)
        }
        Command::Review(args) => {
            print!("{}", review::run(&args).await?);
            Ok(Outcome::Done)
        }
        Command::Load(args) => {
            let summary = load::run(&args).await?;
            println!("{summary}");
            Ok(match summary.counts.rejected() {
                0 => Outcome::Done,
                _ => Outcome::Rejects,
            })
        }
        Command::Verify(args) => {
            let summary = verify::run(&args).await?;
            println!("{summary}");
            Ok(if summary.is_equal() { Outcome::Done } else { Outcome::Differences })
        }
    }
}
