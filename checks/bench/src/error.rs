use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Error {
    #[error("there is no function {name}; template.yaml has {}", known.join(", "))]
    UnknownFunction { name: String, known: Vec<String> },
    #[error(
        "the function {0} has no event to be measured with; add one in checks/bench/src/event.rs"
    )]
    NoEvent(String),
    /// The template gives a function a variable whose value only a deployment knows.
    #[error(
        "the variable {name} of {function} has no value here; add one in checks/bench/src/services.rs"
    )]
    UnknownVariable { function: String, name: String },
    #[error("`{command}` failed ({cause})")]
    Command { command: String, cause: String },
    #[error("there is no {name} at {}; build it with `cargo lambda build --release`", path.display())]
    NoProgram { name: String, path: PathBuf },
    #[error("{case}: {cause}. It said last:\n{output}")]
    Function { case: String, cause: Failure, output: String },
    /// Two that should do the same do not.
    #[error("{case} answers\n{answer}\nwhere {other} answers\n{expected}")]
    OtherAnswer { case: String, answer: String, other: String, expected: String },
    /// A batch is larger than what Lambda invokes a function with.
    #[error(
        "{size} records are {bytes} bytes, and an invocation takes 6 MB; take a smaller --batch-size"
    )]
    BatchTooLarge { size: u32, bytes: usize },
    /// The event bus got something else than each change of a batch once.
    #[error(
        "of a batch of {changes} changes {missing} were not published, and {doubled} more than once"
    )]
    NotOnce { changes: usize, missing: usize, doubled: usize },
    #[error("the services that the functions need cannot be started: {0}")]
    Services(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    Template(#[from] storefront_template::Error),
    #[error("the shop did not do what it should: {0}")]
    Shop(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("{0}: what came back is not what is in the table")]
    WrongAnswer(&'static str),
    /// What should not depend on the table's size does.
    #[error(
        "these do not take the same requests and capacity units in each table:\n{}", .0.join("\n")
    )]
    NotTheSame(Vec<String>),
    #[error("interrupted; nothing is left behind")]
    Interrupted,
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("what a process uses is read from Linux; run the benchmark there, or in a container")]
    NotLinux,
    #[error(
        "valgrind counts the instructions, and is not installed; `apt-get install valgrind`, or leave --callgrind out"
    )]
    NoValgrind,
    #[error(
        "{0} figures are more than recorded in checks/bench/limits.json, or are not recorded. If the change is worth it: cargo xtask limits --record"
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
    #[error("it answered an error: {0}")]
    Error(String),
    #[error("it answered {0}")]
    Unexpected(String),
    #[error("it ended ({0})")]
    Ended(ExitStatus),
    #[error("it does not wait for an event")]
    NotReady,
    #[error("nothing came from it for {} s", .0.as_secs())]
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
