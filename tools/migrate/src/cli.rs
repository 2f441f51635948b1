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
    /// Says what a move would mean: what would be in the table, what would be rejected, what it would
    /// cost, and which queries have no access pattern. Reads the source, all of it and once.
    Review(ReviewArgs),
    /// Loads users, products, and orders with their items into the table, or goes on with a load.
    ///
    /// The table must be empty, or be the one that the state folder is of. Rows that break a rule are
    /// not loaded: the file `rejects.jsonl` in the state folder has them, with the reason, and the exit
    /// code is 3. Of users whose emails differ in capitals or spaces only, the one with the earliest
    /// `createdAt` is loaded (of several, the one whose key comes first), and the others are rejects.
    /// Orders of rejected users are loaded, as the shop keeps the orders of users that are deleted.
    Load(Box<LoadArgs>),
    /// Compares the table with the source, item by item and both ways, and names each difference.
    ///
    /// All that a load would write must be in the table as it would write it, and nothing else. What a
    /// load rejects must not be there. What the shop itself has made or changed since is counted apart,
    /// and so is what a catch-up has left (with --state); what is gone since, from the source or from the
    /// table, is a difference. The source is read as it is now: changes that no load has seen are differences.
    /// Nothing is written but the file of differences; `DescribeTable`, `BatchGetItem` and `Scan` must
    /// be allowed, and `GetItem` and `Query`, also of the index. The exit code is 0 when both say the same, and 4
    /// when they do not.
    Verify(Box<VerifyArgs>),
}

/// How something ended that went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is done.
    Done,
    /// All is done that can be, and there are rejects.
    Rejects,
    /// The table is not what the source says.
    Differences,
}

/// Does what the command line says.
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
