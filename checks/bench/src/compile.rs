//! Builds the programs that are measured.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Error;

/// Builds a package's binary in release mode, alone, and returns its path.
///
/// It is built alone because Cargo unifies a dependency's features over all packages of one build:
/// otherwise every function would get the features of the local cloud.
pub(crate) fn release(
    manifest: &Path,
    package: &str,
    binary: &str,
    target: &Path,
) -> Result<PathBuf, Error> {
    let mut command = cargo();
    command
        .args(["build", "--locked", "--message-format=json-render-diagnostics"])
        .args(["--release", "--package", package, "--bin", binary, "--manifest-path"])
        .arg(manifest)
        .arg("--target-dir")
        .arg(target)
        .stderr(Stdio::inherit());
    let output = run(command)?;
    let messages = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let built = messages.filter(|message| message["target"]["name"] == binary);
    let built =
        built.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    built.ok_or_else(|| Error::NoProgram { name: binary.to_owned(), path: manifest.to_owned() })
}

/// The Cargo that runs this program, or else the one in `PATH`.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Cargo's target folder for the workspace in this folder.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Runs a command to its end, and returns its standard output.
pub(crate) fn run(mut command: Command) -> Result<String, Error> {
    let outcome = command.output();
    let cause = match outcome {
        Ok(output) if output.status.success() => {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("{} {}", output.status, said.trim_end())
        }
        Err(error) => error.to_string(),
    };
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    Err(Error::Command { command: words.join(" "), cause })
}
