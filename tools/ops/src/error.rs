use std::io;
use std::path::PathBuf;

use storefront_core::UserId;
use storefront_core::aws::ConfigError;
use storefront_events::NotPublished;

use crate::check::AwsError;

/// Why a command could not do everything it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Only a registered user can become an administrator.
    #[error(
        "no user has the email {email}: register through the API first (POST /users), and run this \
         again"
    )]
    NoSuchUser { email: String },
    /// Nothing has been written.
    #[error("nothing was changed, because the answer was not y; --yes answers it in a script")]
    NotAgreed,
    #[error("nothing was changed, because there was no answer; --yes answers it in a script")]
    NoAnswer(#[source] io::Error),
    /// The user was changed after it was read.
    #[error("{email} was changed at the same time: run this again")]
    Changed { email: String },
    #[error(
        "the table {table} cannot be used; it must be the stack's output TableName, AWS_REGION must \
         be its region, and the credentials must allow dynamodb:Query, GetItem and UpdateItem on it"
    )]
    Table { table: String, source: storefront_core::Error },
    /// The state file has what was done before.
    #[error(
        "stopped, because the table {table} cannot be used; it must be the stack's output TableName, \
         AWS_REGION must be its region, and the credentials must allow what docs/operations.md says \
         under \"Upgrade from 0.1\"; run this again, and it continues"
    )]
    Upgrade { table: String, source: storefront_core::Error },
    #[error("stopped by a bug; run this again, and it continues: {0}")]
    Crashed(String),
    #[error("the state file {} cannot be read or written", path.display())]
    State { path: PathBuf, source: io::Error },
    #[error("{} is not of this upgrade: {why}; name another file with --state", path.display())]
    OtherState { path: PathBuf, why: String },
    /// Nothing has been written.
    #[error(
        "the table {table} {why}, as docs/operations.md#add-the-index-gsi2 says; then run this again"
    )]
    Index { table: String, why: String },
    /// Each product or order and its reason have been printed.
    #[error(
        "{0} users, products and orders stay as they are, for the reasons above; all others are upgraded"
    )]
    NotUpgraded(usize),
    /// Whoever is still a user needs their addresses.
    #[error(
        "the user {user_id} exists: delete the user first (DELETE /users/{user_id}, as an \
         administrator), and run this again"
    )]
    UserExists { user_id: UserId },
    #[error(
        "stopped, because the table {table} cannot be used; it must be the stack's output TableName, \
         AWS_REGION must be its region, and the credentials must allow dynamodb:GetItem, Query and \
         UpdateItem on it; run this again"
    )]
    Erase { table: String, source: storefront_core::Error },
    #[error(
        "the stack {stack} cannot be read in {region}; --stack must be its name, AWS_REGION must be its \
         region, and the credentials must allow cloudformation:DescribeStacks"
    )]
    Stack { stack: String, region: String, source: Box<AwsError> },
    #[error(
        "the stack {stack} ({status}) has no output {output}: is it a stack of this template, and is \
         its deployment complete?"
    )]
    Output { stack: String, output: &'static str, status: String },
    /// Each step and its reason have been printed.
    #[error(
        "the check did not pass, for the reasons above; steps failed: {failed}, skipped: {skipped}, passed: {passed}"
    )]
    NotPassed { passed: usize, failed: usize, skipped: usize },
    #[error("interrupted")]
    Interrupted,
    #[error("signals cannot be listened for")]
    Signals(#[source] io::Error),
    #[error("{} cannot be read", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// All records of the file are delivered, but it stays among the undelivered ones.
    #[error(
        "{} is delivered but cannot be moved to {}; if it stays, the next run sends it again, with \
         the same event ids",
        from.display(), to.display()
    )]
    Move { from: PathBuf, to: PathBuf, source: io::Error },
    /// `PutEvents` itself failed, so further events would fail, too.
    #[error(
        "stopped, because the event bus {bus} cannot be used; it must be the stack's output \
         EventBusName, AWS_REGION must be its region, and the credentials must allow \
         events:PutEvents on it"
    )]
    Bus { bus: String, source: Refusal },
    /// Each file and its reason have been printed.
    #[error("{0} files stay where they are, for the reasons above")]
    Left(usize),
}

/// Why an event was not published, with EventBridge's error code if it sent one.
#[derive(Debug, thiserror::Error)]
#[error("{}{}", .0.code().map(|code| format!("{code}: ")).unwrap_or_default(), .0)]
pub(crate) struct Refusal(pub(crate) NotPublished);
