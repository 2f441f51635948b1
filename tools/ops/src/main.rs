//! Operator tasks for a deployed stack. docs/operations.md says when to use them.
//!
//! Exit codes: 0 if everything is done, 1 if something could not be done (the message says what,
//! and what to change), 2 if the command line is wrong.

mod check;
mod erase;
mod error;
mod make_admin;
mod redrive;
mod upgrade;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use storefront_core::{Email, Table, UserId, Users, aws};
use storefront_events::{Publisher, eventbridge};
use storefront_http::logging::with_sources;

use check::CheckArgs;
use error::Error;
use upgrade::UpgradeArgs;

/// Operates a deployed stack.
///
/// The region and the credentials come from the environment (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, …,
/// or a profile with keys). With IAM Identity Center or another log-in of the AWS CLI:
///
///     eval "$(aws configure export-credentials --format env)"
#[derive(Parser)]
#[command(name = "storefront-ops", version, verbatim_doc_comment)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a registered user an administrator, after showing who it is and asking.
    MakeAdmin {
        /// The table: the stack's output `TableName`.
        #[arg(long)]
        table: String,
        /// Does not ask.
        #[arg(long)]
        yes: bool,
        /// The email of the user.
        email: Email,
    },
    /// Publishes the events of the stream records that were given up or put aside.
    ///
    /// Files whose records are all delivered are moved to FOLDER/delivered. The others stay, each
    /// with the reason printed. Running it again repeats at most what is left, and every event
    /// keeps its `eventId`.
    Redrive {
        /// The event bus: the stack's output `EventBusName`.
        #[arg(long, required_unless_present = "dry_run")]
        bus: Option<String>,
        /// Prints what would be sent, and sends nothing.
        #[arg(long)]
        dry_run: bool,
        /// The folder with a copy of the stack's `FailedRecordsBucketName`, or the folder
        /// `failed-records` in the local cloud's data directory.
        folder: PathBuf,
    },
    /// Removes the addresses from the orders of a user who has been deleted.
    ///
    /// The orders stay, with what was bought and the user's id. Running it again does no harm.
    /// docs/operations.md says what else belongs to erasing a person.
    Erase {
        /// The table: the stack's output `TableName`.
        #[arg(long)]
        table: String,
        /// The id of the user.
        #[arg(long)]
        user: UserId,
    },
    /// Moves a table of version 0.1: the stock of each product into an item of its own, and each
    /// order into the list of what is to be done with it.
    ///
    /// Functions of 0.1 and 0.2 may sell meanwhile, but nobody may edit products. If the run is
    /// interrupted, run it again, and it continues. After a complete run, it starts again, because
    /// a last sweep has to follow when no function of 0.1 runs any more. docs/operations.md has the
    /// steps.
    Upgrade(UpgradeArgs),
    /// Checks a deployed stack: goes through the shop as a customer does.
    ///
    /// It registers a throw-away user, places an order, cancels it, waits until the event of that
    /// was published and counted, and removes what it has made. A step that fails says what was
    /// sent, what came back, and what to do. If AWS denies a function something, it names the
    /// statement of the role that should have allowed it. docs/operations.md has more.
    Check(CheckArgs),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Args::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", with_sources(&error));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Error> {
    match command {
        Command::MakeAdmin { table, yes, email } => {
            let client =
                aws::dynamodb(&aws::operator_config().await?, aws::endpoint_url("DYNAMODB"));
            let users = Users::new(Table::new(client, &table));
            make_admin::run(&users, &table, &email, yes).await
        }
        Command::Erase { table, user } => {
            let client =
                aws::dynamodb(&aws::operator_config().await?, aws::endpoint_url("DYNAMODB"));
            erase::run(Table::new(client, &table), &table, user).await
        }
        Command::Redrive { dry_run: true, folder, .. } => redrive::show(&folder),
        Command::Redrive { bus, folder, .. } => {
            let bus = bus.unwrap_or_default();
            let client =
                eventbridge(&aws::operator_config().await?, aws::endpoint_url("EVENTBRIDGE"));
            redrive::run(&Publisher::new(client, &bus), &bus, &folder).await
        }
        Command::Upgrade(args) => {
            let client =
                aws::dynamodb(&aws::operator_config().await?, aws::endpoint_url("DYNAMODB"));
            upgrade::run(args, client).await
        }
        Command::Check(args) => check::run(args).await,
    }
}
