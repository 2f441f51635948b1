//! The binary, as a user starts it.

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

/// Well above what a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A `storefront` process on ports that were free.
pub(crate) struct LocalCloudProcess {
    process: Child,
    pub(crate) api_url: String,
    /// The demo users that it names, if any.
    pub(crate) users: Option<String>,
    output: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

/// `storefront` with the repository's template and these arguments.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_storefront"));
    command.arg("--template").arg(template()).args(arguments).kill_on_drop(true);
    command
}

/// Runs a command that is to fail, and gives what it says.
pub(crate) async fn failure(mut command: Command) -> String {
    let output = timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    evidence::output(&said);
    said
}

impl LocalCloudProcess {
    /// Starts one and waits until it answers.
    pub(crate) async fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[]).await
    }

    /// The same with more arguments.
    pub(crate) async fn start_with(data_dir: &Path, arguments: &[&str]) -> Self {
        let data_dir = data_dir.to_str().unwrap();
        let mut command = command(&["--port", "0", "--dynamodb-port", "0", "--data-dir", data_dir]);
        command.args(arguments);
        let mut process =
            command.stdout(Stdio::piped()).stderr(evidence::stdio(Stdio::inherit)).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();

        let (mut api_url, mut users) = (None, None);
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(url) = line.trim().strip_prefix("API ") {
                    api_url = Some(url.trim().to_owned());
                }
                if let Some(named) = line.trim().strip_prefix("Users ") {
                    users = Some(named.trim().to_owned());
                    // It is there to tell emails and a password.
                    continue;
                }
                evidence::output(&line);
                if line.starts_with("Ctrl-C") {
                    return;
                }
            }
            panic!("it ended before it was ready");
        };
        timeout(PATIENCE, ready).await.expect("it gets ready");

        let output = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&output);
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                evidence::output(&line);
                sink.lock().unwrap().push(line);
            }
        });
        Self { process, api_url: api_url.unwrap(), users, output, reader }
    }

    /// SIGKILL; gives the lines that it had printed.
    pub(crate) async fn kill(mut self) -> Vec<String> {
        self.process.kill().await.unwrap();
        timeout(PATIENCE, self.reader).await.expect("its output ends").unwrap();
        std::mem::take(&mut *self.output.lock().unwrap())
    }

    /// Sends a signal and waits for the end.
    pub(crate) async fn signal(mut self, signal: &str) -> ExitStatus {
        let pid = self.process.id().unwrap().to_string();
        let kill = Command::new("kill").args([signal, &pid]).status().await.unwrap();
        assert!(kill.success());
        timeout(PATIENCE, self.process.wait()).await.expect("it stops").unwrap()
    }
}
