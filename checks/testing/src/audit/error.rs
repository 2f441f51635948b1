use std::io;
use std::path::{Path, PathBuf};

/// Why the audit could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or the folder could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file of secrets does not have the format that
    /// [`Recorder`](crate::evidence::files::Recorder) writes.
    #[error("{} is not a list of secrets: {source}", path.display())]
    Secrets {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// There are no logs in the folder.
    #[error(
        "{} contains no test logs; run the tests with STOREFRONT_TEST_LOGS set to it first",
        .0.display()
    )]
    NoEvidence(PathBuf),
    /// The template could not be read or understood.
    #[error(transparent)]
    Template(#[from] storefront_template::Error),
    /// The search for the secrets could not be built.
    #[error("cannot search for the secrets: {0}")]
    Search(#[from] aho_corasick::BuildError),
}

impl Error {
    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unreadable { path: path.to_owned(), source }
    }
}
