//! The binary, as an operator starts it: against the local cloud, and against an event bus that
//! fails on demand.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod bus;
mod make_admin;
mod redrive;

use std::process::Stdio;
use std::time::Duration;

use storefront_cloud::{LocalCloud, Options};
use tokio::process::Command;
use tokio::time::timeout;

/// Well above what a busy machine takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What the binary answered.
#[derive(Debug)]
struct Answer {
    code: Option<i32>,
    said: String,
    complained: String,
}

/// Runs it with these arguments and endpoints, and credentials that no emulator looks at.
async fn storefront_ops(arguments: &[&str], endpoints: &[(&str, &str)]) -> Answer {
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
    let output = timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    Answer {
        code: output.status.code(),
        said: String::from_utf8(output.stdout).unwrap(),
        complained: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The suite, in memory, with its demo users.
async fn cloud() -> LocalCloud {
    let options = Options {
        template: concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into(),
        host: [127, 0, 0, 1].into(),
        port: 0,
        dynamodb_port: 0,
        data_dir: None,
        seed: true,
    };
    LocalCloud::start(options).await.unwrap()
}
