//! What a text is: Unicode in one spelling (NFC), without characters that nobody sees.
//!
//! Keyboards and systems spell the same text in different code points, and some code points are
//! invisible or change the direction of what follows. So no two users, products or categories look the
//! same and are not, and no name breaks out of the line that it is written in.

mod character;
#[cfg(feature = "openapi")]
mod pattern;

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};

use character::Class;

#[cfg(feature = "openapi")]
pub use pattern::{category_pattern, line_pattern, lines_pattern};

/// A text of one line and of 1 to `MAX` characters, in NFC: no control, invisible or bidirectional
/// formatting characters, and not blank.
///
/// Characters without a glyph of their own that writing systems need are allowed where they have an
/// effect: zero-width joiners after a character of a script that uses them or an emoji, and variation
/// selectors.
///
/// What is read from the table is taken as it is: it may have been written by version 0.1.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Line<const MAX: usize>(String);

/// A text of up to `MAX` characters in NFC, possibly empty, that may have line ends and tabs, but no
/// other control characters, and is not blank unless it is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lines<const MAX: usize>(String);

/// The name of a user or a product.
pub type Name = Line<200>;

/// A product's description. Up to 20 KB, so that DynamoDB returns a page of 100 in at most two
/// responses.
pub type Description = Lines<5000>;

/// Why a text is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum InvalidText {
    #[error("must be 1 to {max} characters, not {found}")]
    Length { max: usize, found: usize },
    #[error("must be at most {max} characters, not {found}")]
    TooLong { max: usize, found: usize },
    #[error("must not be blank")]
    Blank,
    #[error(
        "must be one line, without U+{:04X}: no control characters, and none that are invisible or \
         change the direction of writing",
        u32::from(*.0)
    )]
    Character(char),
    #[error("must not contain the control character U+{:04X}", u32::from(*.0))]
    Control(char),
}

impl<const MAX: usize> Line<MAX> {
    /// The most characters.
    pub const MAX: usize = MAX;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a line of a text that was not checked when it was written: line ends and tabs become spaces,
    /// and what may not be in a line is left out. A text that is a line already stays what it is.
    pub fn tidied(text: &str) -> Result<Self, InvalidText> {
        let parsed = text.parse();
        if !matches!(parsed, Err(InvalidText::Character(_))) {
            return parsed;
        }
        let mut before = Before::default();
        let mut line = String::new();
        for c in nfc(text).chars() {
            if before.accepts(c) {
                line.push(c);
            } else if c.is_whitespace() && !line.ends_with(' ') {
                line.push(' ');
                before = Before::default();
            }
        }
        trimmed(&line).parse()
    }
}

impl<const MAX: usize> Lines<MAX> {
    /// The most characters.
    pub const MAX: usize = MAX;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it has no characters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<const MAX: usize> FromStr for Line<MAX> {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let text = nfc(text);
        let found = text.chars().count();
        if found == 0 || found > MAX {
            return Err(InvalidText::Length { max: MAX, found });
        }
        expect_line(&text)?;
        Ok(Self(text.into_owned()))
    }
}

impl<const MAX: usize> FromStr for Lines<MAX> {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        let text = nfc(text);
        let found = text.chars().count();
        if found > MAX {
            return Err(InvalidText::TooLong { max: MAX, found });
        }
        let is_odd = |c: &char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if let Some(control) = text.chars().find(is_odd) {
            return Err(InvalidText::Control(control));
        }
        if found > 0 && text.chars().all(char::is_whitespace) {
            return Err(InvalidText::Blank);
        }
        Ok(Self(text.into_owned()))
    }
}

impl<const MAX: usize> fmt::Display for Line<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Display for Lines<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text in Normalization Form C: what looks the same and means the same has the same code points,
/// however it was typed (Unicode Standard Annex 15).
#[must_use]
pub fn nfc(text: &str) -> Cow<'_, str> {
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// How many times as many bytes a text in UTF-8 can have in NFC (Unicode's FAQ on normalization).
pub const MAX_NFC_GROWTH: usize = 3;

/// Appends a text in [NFC](nfc), for texts that must not be copied elsewhere: if `into` has room for
/// [`MAX_NFC_GROWTH`] times its bytes, nothing else is allocated.
pub fn push_nfc(text: &str, into: &mut String) {
    // A string takes everything that is written to it.
    let _ = ComposingNormalizerBorrowed::new_nfc().normalize_to(text, into);
}

/// The text folded in case (Unicode's full case folding) and in NFC, without the characters that have no
/// glyph of their own: two texts that people take for the same word are equal.
pub(crate) fn folded(text: &str) -> String {
    let visible: String = text.chars().filter(|c| !Class::of(*c).has_no_glyph()).collect();
    nfc(&CaseMapper::new().fold_string(&visible)).into_owned()
}

/// Without the space around it, whatever kind of space it is.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// Whether a character leaves a gap and nothing else: white space, and the blank pattern of braille.
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace() || Class::of(c) == Class::Space
}

/// The number of characters that have a glyph of their own, or are a space.
pub(crate) fn visible_length(text: &str) -> usize {
    text.chars().filter(|c| !Class::of(*c).has_no_glyph()).count()
}

/// Checks that a text, in NFC, is one line that shows what it says.
pub(crate) fn expect_line(text: &str) -> Result<(), InvalidText> {
    let mut before = Before::default();
    if let Some(refused) = text.chars().find(|c| !before.accepts(*c)) {
        return Err(InvalidText::Character(refused));
    }
    if trimmed(text).is_empty() { Err(InvalidText::Blank) } else { Ok(()) }
}

/// What stands before a character of a line.
#[derive(Default)]
struct Before {
    /// The last character with a glyph of its own.
    last: Class,
    /// How many without one have followed it.
    followers: usize,
}

impl Before {
    /// Whether this character may come next.
    fn accepts(&mut self, c: char) -> bool {
        match Class::of(c) {
            Class::Refused => false,
            class if class.has_no_glyph() => {
                self.followers += 1;
                self.followers <= self.last.followers(class)
            }
            class => {
                *self = Self { last: class, followers: 0 };
                true
            }
        }
    }
}

#[cfg(test)]
mod tests;
