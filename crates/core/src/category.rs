use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::openapi::openapi;
use crate::text::{self, InvalidText};

/// A product's category, trimmed and lower-cased: one line of 1 to 64 characters, in NFC.
///
/// Its products are found by its [folded](Self::folded) form, so that `Straße` and `STRASSE` are one
/// list. What is read from the table is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Category(String);

/// The text is empty or too long for a category, or not a line that shows what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum InvalidCategory {
    #[error("must be 1 to {} characters after trimming", Category::MAX_LENGTH)]
    Length,
    #[error(transparent)]
    Text(#[from] InvalidText),
}

impl Category {
    /// In characters, without joiners and variation selectors.
    pub const MAX_LENGTH: usize = 64;

    /// The normalised name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the category's key contains: spellings of one word that differ in case, or in characters
    /// without a glyph of their own, are one category.
    #[must_use]
    pub fn folded(&self) -> String {
        text::folded(&self.0)
    }
}

openapi!(
    Category = crate::openapi::string(
        "One line, trimmed and lower-cased; then 1 to 64 characters. Joiners and variation selectors \
         do not count",
    )
    .pattern(Some(text::category_pattern(Category::MAX_LENGTH)))
    .examples(["coffee"])
);

impl FromStr for Category {
    type Err = InvalidCategory;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let normalised = text::nfc(&text::nfc(text::trimmed(text)).to_lowercase()).into_owned();
        if !(1..=Self::MAX_LENGTH).contains(&text::visible_length(&normalised)) {
            return Err(InvalidCategory::Length);
        }
        text::expect_line(&normalised)?;
        Ok(Self(normalised))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(text: &str) -> Category {
        text.parse().unwrap()
    }

    #[test]
    fn a_category_is_trimmed_and_lower_cased() {
        assert_eq!(category(" Coffee\u{3000}\n").as_str(), "coffee");
        assert_eq!(category("CAFE\u{301}"), category("café"));
        assert!("ä".repeat(64).parse::<Category>().is_ok());
        assert!("न\u{93C}".repeat(64).parse::<Category>().is_ok());
    }

    #[test]
    fn words_that_people_take_for_the_same_are_one_category() {
        assert_eq!(category("Straße").folded(), category("STRASSE").folded());
        assert_eq!(category("Straße").as_str(), "straße");
        assert_ne!(category("cafe").folded(), category("café").folded());
    }

    #[test]
    fn an_invalid_category_is_rejected() {
        for text in
            ["", "  ", "\u{2800}", "a\0b", "a\nb", "caf\u{200B}é", "a\u{202E}b", &"a".repeat(65)]
        {
            assert!(text.parse::<Category>().is_err(), "{text:?}");
        }
    }
}
