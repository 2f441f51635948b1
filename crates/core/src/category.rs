use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::openapi::openapi;

/// A product's category, trimmed and lower-cased: 1 to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Category(String);

/// The text is empty or too long for a category, or contains control characters.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 64 characters after trimming, without control characters")]
pub struct InvalidCategory;

impl Category {
    /// In characters.
    pub const MAX_LENGTH: usize = 64;

    /// The normalised name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Up to 64 characters except control characters, and any white space around them, which does not
/// count. (That is why the lengths are part of the pattern.)
#[cfg(feature = "openapi")]
const PATTERN: &str = concat!(
    r"^[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*",
    r"[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]",
    r"([^\u0000-\u001F\u007F-\u009F]{0,62}",
    r"[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000])?",
    r"[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*$",
);

openapi!(
    Category = crate::openapi::string("Trimmed and lower-cased; then 1 to 64 characters")
        .pattern(Some(PATTERN))
        .examples(["coffee"])
);

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0
    }
}

impl FromStr for Category {
    type Err = InvalidCategory;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let normalised = text.trim().to_lowercase();
        let length = normalised.chars().count();
        if length == 0 || length > Self::MAX_LENGTH || normalised.contains(char::is_control) {
            return Err(InvalidCategory);
        }
        Ok(Self(normalised))
    }
}

impl TryFrom<String> for Category {
    type Error = InvalidCategory;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_trimmed_and_lower_cased() {
        assert_eq!(" Coffee ".parse::<Category>().unwrap().as_str(), "coffee");
        assert!("ä".repeat(64).parse::<Category>().is_ok());
    }

    #[test]
    fn an_invalid_category_is_rejected() {
        for text in ["", "  ", "a\0b", &"a".repeat(65)] {
            assert!(text.parse::<Category>().is_err(), "{text:?}");
        }
    }
}
