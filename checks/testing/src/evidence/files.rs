//! The files that a test process leaves: its log, and the secrets that it used.
//!
//! `<package>.<test>.<process id>.log` contains the JSON lines that `tracing` writes, and the
//! output of spawned programs; `….secrets` beside it contains one JSON object per secret. The
//! secrets are test secrets, stored in plain text for the search: the folder belongs under
//! `target/`.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};

use crate::audit::error::Error;

/// The environment variable that names the folder.
pub const VARIABLE: &str = "STOREFRONT_TEST_LOGS";

const LOG: &str = "log";
const SECRETS: &str = "secrets";

/// A text that no log may contain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Secret {
    /// The kind of secret.
    pub kind: Kind,
    /// The secret itself.
    pub value: String,
}

/// A kind of secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Password,
    PasswordHash,
    AccessToken,
    RefreshToken,
    MailToken,
    TokenSecret,
    Email,
}

impl Kind {
    /// What the tests of the whole shop use. Evidence without one of these is not complete.
    pub const EXPECTED: [Self; 6] = [
        Self::Password,
        Self::AccessToken,
        Self::RefreshToken,
        Self::MailToken,
        Self::TokenSecret,
        Self::Email,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password => "password",
            Self::PasswordHash => "password hash",
            Self::AccessToken => "access token",
            Self::RefreshToken => "refresh token",
            Self::MailToken => "mail token",
            Self::TokenSecret => "token secret",
            Self::Email => "email",
        })
    }
}

/// Writes the evidence of one process.
///
/// Each line is written to the file at once, without buffering: test processes end without warning.
pub struct Recorder {
    log: Mutex<File>,
    secrets: Mutex<Secrets>,
}

struct Secrets {
    file: File,
    written: HashSet<Secret>,
}

impl Recorder {
    /// Returns the recorder of this process, if [`VARIABLE`] is set.
    ///
    /// # Panics
    ///
    /// If the files cannot be written: tests whose evidence is lost must not pass.
    #[allow(clippy::panic, reason = "it is for tests")]
    pub fn of_this_process() -> Option<&'static Self> {
        static RECORDER: OnceLock<Option<Recorder>> = OnceLock::new();
        let open = || {
            let folder = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty())?;
            let folder = Path::new(&folder);
            assert!(
                folder.is_absolute(),
                "{VARIABLE} must be an absolute path: Cargo runs tests in their packages' folders"
            );
            let recorder = Self::open(folder, &process_name());
            Some(recorder.unwrap_or_else(|error| panic!("{VARIABLE}: {error}")))
        };
        RECORDER.get_or_init(open).as_ref()
    }

    /// Opens the files for a process of this name.
    pub fn open(folder: &Path, process: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let open = |extension| {
            let path = folder.join(format!("{process}.{extension}"));
            OpenOptions::new().create(true).append(true).open(path)
        };
        let secrets = Secrets { file: open(SECRETS)?, written: HashSet::new() };
        Ok(Self { log: Mutex::new(open(LOG)?), secrets: Mutex::new(secrets) })
    }

    /// Appends to the log: whole lines, with their newlines.
    pub fn log(&self, lines: &[u8]) -> io::Result<()> {
        lock(&self.log).write_all(lines)
    }

    /// Returns the log file, for a program that writes to it directly.
    pub fn log_file(&self) -> io::Result<File> {
        lock(&self.log).try_clone()
    }

    /// Records a secret. An empty one is ignored.
    pub fn secret(&self, kind: Kind, value: &str) -> io::Result<()> {
        let secret = Secret { kind, value: value.trim().to_owned() };
        let mut secrets = lock(&self.secrets);
        if secret.value.is_empty() || secrets.written.contains(&secret) {
            return Ok(());
        }
        let line = serde_json::to_string(&secret)? + "\n";
        secrets.file.write_all(line.as_bytes())?;
        secrets.written.insert(secret);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A line is written whole, or the test fails anyway.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Names the tests of this process, from what Cargo tells it.
fn process_name() -> String {
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_else(|_| "unknown".to_owned());
    let program = std::env::current_exe().ok();
    let program = program.as_deref().and_then(Path::file_stem).unwrap_or_default();
    // Cargo adds a hash to the name of the test.
    let program = program.to_string_lossy();
    let test = program.rsplit_once('-').map_or(&*program, |(test, _)| test);
    format!("{package}.{test}.{}", std::process::id())
}

/// The evidence in a folder.
pub struct Evidence {
    /// One entry per process.
    pub processes: Vec<Process>,
}

/// The evidence of one process.
pub struct Process {
    /// Package, test and process id.
    pub name: String,
    /// The path of its log.
    pub log: PathBuf,
    /// The secrets that it used.
    pub secrets: Vec<Secret>,
}

impl Evidence {
    /// Reads all evidence in the folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let entries = fs::read_dir(folder).map_err(Error::unreadable(folder))?;
        let mut processes = Vec::new();
        for entry in entries {
            let log = entry.map_err(Error::unreadable(folder))?.path();
            if log.extension().is_some_and(|extension| extension == LOG) {
                processes.push(Process::read(log)?);
            }
        }
        if processes.is_empty() {
            return Err(Error::NoEvidence(folder.to_owned()));
        }
        processes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self { processes })
    }

    /// The secrets of all processes, each once.
    #[must_use]
    pub fn secrets(&self) -> HashSet<&Secret> {
        self.processes.iter().flat_map(|process| &process.secrets).collect()
    }
}

impl Process {
    fn read(log: PathBuf) -> Result<Self, Error> {
        let path = log.with_extension(SECRETS);
        let text = fs::read_to_string(&path).map_err(Error::unreadable(&path))?;
        let secrets = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        let secrets = secrets.map_err(|source| Error::Secrets { path, source })?;
        let name = log.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, log, secrets })
    }

    /// The package that the tests belong to.
    #[must_use]
    pub fn package(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }
}
