//! Runs the binary as a user would.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use storefront_testing::evidence;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::template;

/// Much longer than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `storefront` process on free ports.
pub(crate) struct LocalCloudProcess {
    process: Child,
    pub(crate) api_url: String,
    /// The demo users that it prints, if any.
    pub(crate) users: Option<String>,
    /// Who may use what has no authentication, as it prints it.
    pub(crate) access: Option<String>,
    output: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

/// Returns a command for `storefront` with the repository's template and these arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    command_with(&template(), arguments)
}

fn command_with(template: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storefront"));
    command.arg("--template").arg(template).args(arguments).kill_on_drop(true);
    command
}

/// Runs a command that must fail, and returns its error output.
pub(crate) async fn failure(mut command: Command) -> String {
    let output = timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    evidence::output(&message);
    message
}

impl LocalCloudProcess {
    /// Starts a process and waits until it is ready.
    pub(crate) async fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[]).await
    }

    /// Does the same with additional arguments.
    pub(crate) async fn start_with(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::start_from(&template(), data_dir, arguments).await
    }

    /// Does the same with another template.
    pub(crate) async fn start_from(template: &Path, data_dir: &Path, arguments: &[&str]) -> Self {
        let ports = ["--port", "0", "--dynamodb-port", "0"];
        let mut command = command_with(template, &ports);
        command.arg("--data-dir").arg(data_dir).args(arguments);
        let mut process =
            command.stdout(Stdio::piped()).stderr(evidence::stdio(Stdio::inherit)).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();

        let (mut api_url, mut users, mut access) = (None, None, None);
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(url) = line.trim().strip_prefix("API ") {
                    api_url = Some(url.trim().to_owned());
                }
                if let Some(named) = line.trim().strip_prefix("Users ") {
                    users = Some(named.trim().to_owned());
                    // Not evidence: this line prints emails and a password on purpose.
                    continue;
                }
                if line.starts_with("Without a password") {
                    access = Some(line.clone());
                }
                evidence::output(&line);
                if line.starts_with("Ctrl-C") {
                    return;
                }
            }
            panic!("it ended before it was ready");
        };
        timeout(PATIENCE, ready).await.expect("it becomes ready");

        let output = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&output);
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                evidence::output(&line);
                sink.lock().unwrap().push(line);
            }
        });
        Self { process, api_url: api_url.unwrap(), users, access, output, reader }
    }

    /// Sends SIGKILL, and returns the lines that the process has printed.
    pub(crate) async fn kill(mut self) -> Vec<String> {
        self.process.kill().await.unwrap();
        timeout(PATIENCE, self.reader).await.expect("its output ends").unwrap();
        std::mem::take(&mut *self.output.lock().unwrap())
    }

    /// Sends a signal, and waits until the process ends.
    pub(crate) async fn signal(mut self, signal: &str) -> ExitStatus {
        let pid = self.process.id().unwrap().to_string();
        let kill = Command::new("kill").args([signal, &pid]).status().await.unwrap();
        assert!(kill.success());
        timeout(PATIENCE, self.process.wait()).await.expect("it stops").unwrap()
    }
}
