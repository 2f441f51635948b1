//! A function's process: starts it as Lambda would, and measures what it uses.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};

use crate::Error;

/// The number of output lines in an error message.
const SHOWN_LINES: usize = 20;

/// A program to start.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
}

/// A running process. It is killed on drop.
pub(crate) struct Process {
    child: Child,
    usage: usage::Usage,
    output: PathBuf,
    pub(crate) started: Instant,
}

impl Process {
    /// Starts a program with these variables and no others. Its output goes to the file `output`:
    /// the reader of a pipe would take processor time from the measured process.
    pub(crate) fn start(
        program: &Program,
        variables: &BTreeMap<String, String>,
        output: &Path,
    ) -> Result<Self, Error> {
        let stdout = File::create(output).map_err(Error::file(output))?;
        let stderr = stdout.try_clone().map_err(Error::file(output))?;
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .kill_on_drop(true);
        let started = Instant::now();
        let child = command.spawn().map_err(Error::file(&program.path))?;
        let usage = usage::Usage::of(child.id().unwrap_or_default())?;
        Ok(Self { child, usage, output: output.to_owned(), started })
    }

    /// The processor time of all its threads.
    pub(crate) fn processor_time(&self) -> Result<Duration, Error> {
        self.usage.processor_time()
    }

    /// The peak memory of the process, in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64, Error> {
        self.usage.peak_memory()
    }

    /// Waits until the process ends.
    pub(crate) async fn ended(&mut self) -> Result<ExitStatus, Error> {
        self.child.wait().await.map_err(Error::io("cannot wait for a process"))
    }

    /// The last lines of its output.
    pub(crate) fn output(&self) -> String {
        let output = fs::read(&self.output).unwrap_or_default();
        let output = String::from_utf8_lossy(&output);
        let lines: Vec<_> = output.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }

    /// Asks it to end, and waits until it has.
    pub(crate) async fn terminate(mut self) -> Result<(), Error> {
        self.usage.terminate()?;
        self.ended().await.map(drop)
    }

    pub(crate) async fn kill(mut self) -> Result<(), Error> {
        self.child.kill().await.map_err(Error::io("cannot kill a process"))
    }
}

#[cfg(target_os = "linux")]
mod usage {
    use std::time::Duration;

    use nix::sys::signal::{Signal, kill};
    use nix::time::{ClockId, clock_getcpuclockid};
    use nix::unistd::Pid;

    use crate::Error;

    pub(super) struct Usage {
        id: Pid,
        clock: ClockId,
    }

    impl Usage {
        pub(super) fn of(id: u32) -> Result<Self, Error> {
            let id = Pid::from_raw(i32::try_from(id).map_err(|_| Error::NotLinux)?);
            let clock = clock_getcpuclockid(id).map_err(failed)?;
            Ok(Self { id, clock })
        }

        /// Reads the process's own clock, because /proc counts in steps of 10 ms.
        pub(super) fn processor_time(&self) -> Result<Duration, Error> {
            self.clock.now().map(Duration::from).map_err(failed)
        }

        /// Reads /proc, because `maxrss` of `getrusage` starts with the memory of the parent
        /// process.
        pub(super) fn peak_memory(&self) -> Result<u64, Error> {
            let path = format!("/proc/{}/status", self.id);
            let status = std::fs::read_to_string(&path).map_err(Error::file(path))?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            kib.map(|kib| kib * 1024).ok_or(Error::NotLinux)
        }

        pub(super) fn terminate(&self) -> Result<(), Error> {
            kill(self.id, Signal::SIGTERM).map_err(failed)
        }
    }

    fn failed(error: nix::Error) -> Error {
        Error::io("cannot access a process")(error.into())
    }
}

#[cfg(not(target_os = "linux"))]
mod usage {
    use std::time::Duration;

    use crate::Error;

    pub(super) struct Usage;

    #[allow(clippy::unused_self, reason = "as on Linux")]
    impl Usage {
        pub(super) fn of(_: u32) -> Result<Self, Error> {
            Err(Error::NotLinux)
        }

        pub(super) fn processor_time(&self) -> Result<Duration, Error> {
            Err(Error::NotLinux)
        }

        pub(super) fn peak_memory(&self) -> Result<u64, Error> {
            Err(Error::NotLinux)
        }

        pub(super) fn terminate(&self) -> Result<(), Error> {
            Err(Error::NotLinux)
        }
    }
}
