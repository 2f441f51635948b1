//! What operators do to a deployed suite. docs/operations.md says when.
//!
//! Exit codes: 0 when all is done, 1 when something could not be done (it says what, and what to
//! change), 2 when the command line is wrong.

mod error;
mod make_admin;
mod redrive;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use storefront_core::{Email, Table, Users, aws};
use storefront_events::{Publisher, eventbridge};
use storefront_http::logging::with_sources;

use error::Error;

/// Operates a deployed suite.
///
/// Region and credentials are those of the environment (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, …, or a
/// profile with keys). With IAM Identity Center or another log-in of the AWS CLI:
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
    /// Makes a registered user an administrator.
    MakeAdmin {
        /// The table: the stack's output `TableName`.
        #[arg(long)]
        table: String,
        /// The email that the user registered with.
        email: Email,
    },
    /// Publishes the events in stream records that were given up.
    ///
    /// Files whose records are all delivered are moved to FOLDER/delivered; the others stay, and
    /// why is said of each. Running it again repeats at most what is left, and every event has the
    /// `eventId` that it always had.
    Redrive {
        /// The event bus: the stack's output `EventBusName`.
        #[arg(long, required_unless_present = "dry_run")]
        bus: Option<String>,
        /// Says what would be sent, and sends nothing.
        #[arg(long)]
        dry_run: bool,
        /// The folder with a copy of the stack's `FailedRecordsBucketName` (or the `failed-records`
        /// of the local cloud's data).
        folder: PathBuf,
    },
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
        Command::MakeAdmin { table, email } => {
            let client =
                aws::dynamodb(&aws::operator_config().await?, aws::endpoint_url("DYNAMODB"));
            let users = Users::new(Table::new(client, &table));
            make_admin::run(&users, &table, &email).await
        }
        Command::Redrive { dry_run: true, folder, .. } => redrive::show(&folder),
        Command::Redrive { bus, folder, .. } => {
            let bus = bus.unwrap_or_default();
            let client =
                eventbridge(&aws::operator_config().await?, aws::endpoint_url("EVENTBRIDGE"));
            redrive::run(&Publisher::new(client, &bus), &bus, &folder).await
        }
    }
}
