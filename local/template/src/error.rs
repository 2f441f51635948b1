use std::io;
use std::path::PathBuf;

/// Why a template could not be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read the template {}: {source}", path.display())]
    Unreadable {
        /// The template.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not YAML.
    #[error("the template {} is not valid YAML: {message}", path.display())]
    NotYaml {
        /// The template.
        path: PathBuf,
        /// Where and why.
        message: String,
    },
    /// A property is missing or has the wrong shape.
    #[error("{}: {property}: expected {expected}, found {found}", path.display())]
    Property {
        /// The template.
        path: PathBuf,
        /// The path of the property, such as `Resources.Table.Properties.KeySchema`.
        property: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}
