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
    /// There is no parameter with this name.
    #[error("{} has no parameter {name}; it has {known}", path.display())]
    UnknownParameter {
        /// The template.
        path: PathBuf,
        /// The name.
        name: String,
        /// The names of all parameters.
        known: String,
    },
    /// A parameter may not have this value.
    #[error("{}: the parameter {name} cannot be {value:?}: expected {expected}", path.display())]
    ParameterValue {
        /// The template.
        path: PathBuf,
        /// The parameter's name.
        name: String,
        /// The value.
        value: String,
        /// What was expected.
        expected: String,
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
