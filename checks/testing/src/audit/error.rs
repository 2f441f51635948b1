use std::io;
use std::path::{Path, PathBuf};

/// Why nothing could be checked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or the folder could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of secrets is not what [`Recorder`](crate::evidence::files::Recorder) writes.
    #[error("{} is not a list of secrets: {source}", path.display())]
    Secrets {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// There are no logs in the folder.
    #[error(
        "{} holds no logs of tests; run the tests with STOREFRONT_TEST_LOGS set to it first",
        .0.display()
    )]
    NoEvidence(PathBuf),
    /// The template is not what is understood.
    #[error(transparent)]
    Template(#[from] storefront_template::Error),
    /// The secrets cannot be searched for.
    #[error("the secrets cannot be searched for: {0}")]
    Search(#[from] aho_corasick::BuildError),
}

impl Error {
    pub(crate) fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Unreadable { path: path.to_owned(), source }
    }
}
