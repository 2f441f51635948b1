use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No function has this name.
    #[error("there is no function {name}; template.yaml has {}", known.join(", "))]
    UnknownFunction {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The template has a function that nobody has written an event for.
    #[error(
        "the function {0} has no event to be measured with; add one in checks/bench/src/event.rs"
    )]
    NoEvent(String),
    /// The template gives a function a variable whose value only a deployment knows.
    #[error(
        "the variable {name} of {function} has no value here; add one in checks/bench/src/services.rs"
    )]
    UnknownVariable {
        /// The function's binary.
        function: String,
        /// The variable.
        name: String,
    },
    /// A program that is needed did not start, or failed.
    #[error("`{command}` failed ({cause})")]
    Command {
        /// What was run.
        command: String,
        /// The exit status, or why it did not start.
        cause: String,
    },
    /// A build made no such program, or `--bin-dir` has none.
    #[error("there is no {name} at {}; build it with `cargo lambda build --release`", path.display())]
    NoProgram {
        /// The program.
        name: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A function answered an error, or ended.
    #[error("{case}: {cause}. It said last:\n{output}")]
    Function {
        /// Which function, and which event.
        case: String,
        /// What it did.
        cause: Failure,
        /// The end of its output.
        output: String,
    },
    /// Two that should do the same do not.
    #[error("{case} answers\n{answer}\nwhere {other} answers\n{expected}")]
    OtherAnswer {
        /// Which program, and which event.
        case: String,
        /// What it answered.
        answer: String,
        /// Whom it is compared with.
        other: String,
        /// What that answered.
        expected: String,
    },
    /// A batch is larger than what Lambda invokes a function with.
    #[error(
        "{size} records are {bytes} bytes, and an invocation takes 6 MB; take a smaller --batch-size"
    )]
    BatchTooLarge {
        /// Its records.
        size: u32,
        /// Its bytes.
        bytes: usize,
    },
    /// The event bus got something else than each change of a batch once.
    #[error(
        "of a batch of {changes} changes {missing} were not published, and {doubled} more than once"
    )]
    NotOnce {
        /// How many there were.
        changes: usize,
        /// How many of them never came.
        missing: usize,
        /// How many came more than once.
        doubled: usize,
    },
    /// What the functions ask is not there.
    #[error("the services that the functions need cannot be started: {0}")]
    Services(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The template cannot be used.
    #[error(transparent)]
    Template(#[from] storefront_template::Error),
    /// The shop refused what it should do, or its table did.
    #[error("the shop did not do what it should: {0}")]
    Shop(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The shop did it, and something else came out.
    #[error("{0}: what came back is not what is in the table")]
    WrongAnswer(&'static str),
    /// What should not depend on the table's size does.
    #[error(
        "these do not take the same requests and capacity units in each table:\n{}", .0.join("\n")
    )]
    NotTheSame(Vec<String>),
    /// Somebody would not wait.
    #[error("interrupted; nothing is left behind")]
    Interrupted,
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// This system does not say what a process has used.
    #[error("what a process uses is read from Linux; run the benchmark there, or in a container")]
    NotLinux,
    /// Instructions cannot be counted.
    #[error(
        "valgrind counts the instructions, and is not installed; `apt-get install valgrind`, or leave --callgrind out"
    )]
    NoValgrind,
    /// The functions cost more than is recorded.
    #[error(
        "{0} figures are more than recorded in checks/bench/limits.json, or are not recorded. If the change is worth it: cargo xtask limits --record"
    )]
    Limits(usize),
    /// Anything else that the operating system refused.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

/// What a function did instead of answering.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// It could not start, and said so.
    #[error("it could not start: {0}")]
    Init(String),
    /// It answered an error.
    #[error("it answered an error: {0}")]
    Error(String),
    /// It answered something else than was expected.
    #[error("it answered {0}")]
    Unexpected(String),
    /// Its process ended.
    #[error("it ended ({0})")]
    Ended(ExitStatus),
    /// It has not asked for an event, or does not wait for it any more.
    #[error("it does not wait for an event")]
    NotReady,
    /// It did nothing.
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
