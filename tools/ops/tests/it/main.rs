//! Runs the binary as an operator would: against the local cloud, a table of version 0.1, and an event
//! bus that fails on demand.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bus;
mod check;
mod erase;
mod make_admin;
mod redrive;
mod upgrade;

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use storefront_cloud::{LocalCloud, Options};
use tokio::process::Command;
use tokio::time::timeout;

/// Well above what it takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The binary's exit code and output.
#[derive(Debug)]
struct Answer {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs the binary to its end.
async fn storefront_ops(arguments: &[&str], endpoints: &[(&str, &str)]) -> Answer {
    let output = command(arguments, endpoints).output();
    let output = timeout(PATIENCE, output).await.expect("it exits in time").unwrap();
    output.into()
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Returns the command of the binary with these arguments and endpoints, and with credentials that
/// emulators ignore.
fn command(arguments: &[&str], endpoints: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storefront-ops"));
    command
        .args(arguments)
        .env_clear()
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "operator")
        .env("AWS_SECRET_ACCESS_KEY", "operator")
        .envs(endpoints.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Starts the stack in memory, with the demo users.
async fn cloud() -> LocalCloud {
    cloud_with(None, &[]).await
}

/// Starts the stack with this data directory.
async fn cloud_in(data_dir: Option<PathBuf>) -> LocalCloud {
    cloud_with(data_dir, &[]).await
}

/// Starts the stack with these parameters.
async fn cloud_with(data_dir: Option<PathBuf>, parameters: &[(&str, &str)]) -> LocalCloud {
    let parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let options = Options {
        template: concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into(),
        parameters: parameters.collect(),
        host: [127, 0, 0, 1].into(),
        port: 0,
        dynamodb_port: 0,
        data_dir,
        seed: true,
    };
    LocalCloud::start(options).await.unwrap()
}
