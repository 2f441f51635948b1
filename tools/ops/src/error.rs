use std::io;
use std::path::PathBuf;

use storefront_core::aws::ConfigError;
use storefront_events::NotPublished;

/// Why a command could not do all that it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// AWS cannot be reached from here.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An administrator is somebody who has registered.
    #[error("nobody has {email}: register through the API first (POST /users), and run this again")]
    NoSuchUser { email: String },
    /// What was read of the user is not what the table holds now.
    #[error("{email} is being changed at this moment: run this again")]
    Changed { email: String },
    /// The table did not do it.
    #[error(
        "the table {table} cannot be used; it must be the stack's output TableName, AWS_REGION its \
         region, and the credentials must allow dynamodb:Query, GetItem and UpdateItem on it"
    )]
    Table { table: String, source: storefront_core::Error },
    /// The files cannot be found.
    #[error("{} cannot be read", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// All its records are delivered, but the file does not show it.
    #[error(
        "{} is delivered but cannot be moved to {}; left where it is, it would be sent again, with \
         the same event ids",
        from.display(), to.display()
    )]
    Move { from: PathBuf, to: PathBuf, source: io::Error },
    /// `PutEvents` itself failed: there is no use in going on.
    #[error(
        "stopped, because the event bus {bus} does not answer; it must be the stack's output \
         EventBusName, AWS_REGION its region, and the credentials must allow events:PutEvents on it"
    )]
    Bus { bus: String, source: Refusal },
    /// Each of them was named before.
    #[error("files that stay where they are: {0}, for the reasons above")]
    Left(usize),
}

/// Why an event was not published, with EventBridge's code for it if there is one.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", .0.code().map(|code| format!("{code}: ")).unwrap_or_default(), .0)]
pub(crate) struct Refusal(pub(crate) NotPublished);
