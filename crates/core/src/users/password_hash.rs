use std::fmt;

use serde::{Deserialize, Serialize};

/// A password's hash, in the PHC string format. Users from another shop may have a bcrypt hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes the text of a hash. Does not check whether passwords can be verified against it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text of the hash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}
