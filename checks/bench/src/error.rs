use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("unknown function {name}; template.yaml has {}", known.join(", "))]
    UnknownFunction { name: String, known: Vec<String> },
    #[error(
        "the function {0} has no event to measure it with; add one in checks/bench/src/event.rs"
    )]
    NoEvent(String),
    /// The template sets a variable of a function to a value that only a deployment knows.
    #[error(
        "the variable {name} of {function} has no value here; add one in checks/bench/src/services/variables.rs"
    )]
    UnknownVariable { function: String, name: String },
    #[error("`{command}` failed ({cause})")]
    Command { command: String, cause: String },
    #[error("no {name} at {}; build it with `cargo lambda build --release`", path.display())]
    NoProgram { name: String, path: PathBuf },
    #[error("{case}: {cause}. Its last output:\n{output}")]
    Function { case: String, cause: Failure, output: String },
    /// Two programs should give the same answer, but do not.
    #[error("{case} answers\n{answer}\nbut {other} answers\n{expected}")]
    OtherAnswer { case: String, answer: String, other: String, expected: String },
    /// A batch is larger than Lambda's payload limit.
    #[error(
        "{size} records are {bytes} bytes, but Lambda's limit is 6 MB; use a smaller --batch-size"
    )]
    BatchTooLarge { size: u32, bytes: usize },
    /// The event bus did not receive each change of a batch exactly once.
    #[error(
        "of {changes} changes in a batch, {missing} were not published, {doubled} more than once"
    )]
    NotOnce { changes: usize, missing: usize, doubled: usize },
    #[error("the services that the functions need cannot be started: {0}")]
    Services(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Template(#[from] storefront_template::Error),
    #[error("a request to the shop failed: {0}")]
    Shop(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("{0}: the answer does not match the data in the table")]
    WrongAnswer(&'static str),
    /// Costs that should not depend on the table's size do.
    #[error(
        "these do not take the same requests and capacity units in each table:\n{}", .0.join("\n")
    )]
    NotTheSame(Vec<String>),
    #[error("interrupted; nothing is left behind")]
    Interrupted,
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("the benchmark needs Linux to measure a process; run it there, or in a container")]
    NotLinux,
    #[error(
        "counting instructions needs valgrind, which is not installed; `apt-get install valgrind`, or omit --callgrind"
    )]
    NoValgrind,
    #[error(
        "{0} figures exceed those in checks/bench/limits.json, or are not recorded. If the change is worth it: cargo xtask limits --record"
    )]
    Limits(usize),
    #[error("{what}: {source}")]
    Io { what: &'static str, source: io::Error },
}

/// What a function did instead of answering.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Failure {
    #[error("it could not start: {0}")]
    Init(String),
    #[error("it answered with an error: {0}")]
    Error(String),
    #[error("it answered {0}")]
    Unexpected(String),
    #[error("it ended ({0})")]
    Ended(ExitStatus),
    #[error("it is not waiting for an event")]
    NotReady,
    #[error("it was silent for {} s", .0.as_secs())]
    Silent(Duration),
}

impl Error {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    pub(crate) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }

    pub(crate) fn shop(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Shop(error.into())
    }

    pub(crate) fn services(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Services(error.into())
    }
}

impl From<storefront_core::Error> for Error {
    fn from(error: storefront_core::Error) -> Self {
        Self::shop(error)
    }
}
