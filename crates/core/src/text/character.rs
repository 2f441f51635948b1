//! Which characters a line may have.

use icu_properties::CodePointSetData;
use icu_properties::props::{BidiControl, DefaultIgnorableCodePoint};

/// What a character does in a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Class {
    /// White space within a line, and the blank pattern of braille. Also what stands before its first
    /// character.
    #[default]
    Space,
    /// Visible, of a script that knows no joiners.
    Simple,
    /// Visible, of a script in which joiners mean something, or a symbol such as an emoji.
    Joining,
    /// Has no glyph, but says how its neighbours join: ZWNJ, ZWJ and the Mongolian vowel separator.
    Joiner,
    /// Has no glyph, but selects a form of the character before it.
    Variation,
    /// A control character, a line end, or invisible, or it changes the direction of writing.
    Refused,
}

/// How many characters without a glyph may follow one of a script that uses them: an emoji can need a
/// variation selector and a joiner.
pub(super) const MAX_JOINERS: usize = 2;

/// The characters of scripts that know no joiners: Latin, Greek, Cyrillic and Armenian, and the signs
/// that they share. Everything else may be [`Class::Joining`].
const SIMPLE: [(char, char); 2] = [('\u{0}', '\u{58F}'), ('\u{1E00}', '\u{1FFF}')];

/// No joiners, but variation selectors.
const MAX_VARIATIONS: usize = 1;

impl Class {
    pub(super) fn of(c: char) -> Self {
        match c {
            '!'..='~' => Self::Simple,
            '\u{200C}' | '\u{200D}' | '\u{180E}' => Self::Joiner,
            '\u{180B}'..='\u{180D}'
            | '\u{180F}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{E0100}'..='\u{E01EF}' => Self::Variation,
            // Line and paragraph separators, and what brackets an annotation.
            '\u{2028}' | '\u{2029}' | '\u{FFF9}'..='\u{FFFB}' => Self::Refused,
            '\u{2800}' => Self::Space,
            _ if c.is_control()
                || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
                || CodePointSetData::new::<BidiControl>().contains(c) =>
            {
                Self::Refused
            }
            _ if c.is_whitespace() => Self::Space,
            _ if SIMPLE.iter().any(|(first, last)| (*first..=*last).contains(&c)) => Self::Simple,
            _ => Self::Joining,
        }
    }

    pub(super) const fn has_no_glyph(self) -> bool {
        matches!(self, Self::Joiner | Self::Variation)
    }

    /// How many of these characters without a glyph may follow one of this class.
    pub(super) const fn followers(self, class: Self) -> usize {
        match (self, class) {
            (Self::Joining, _) => MAX_JOINERS,
            (Self::Simple, Self::Variation) => MAX_VARIATIONS,
            _ => 0,
        }
    }
}
