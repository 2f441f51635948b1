use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// A language that the shop writes to people in, by its BCP 47 tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English, for everybody whose language is not known.
    #[default]
    En,
    /// German.
    De,
}

/// The text is not a language that the shop writes in.
#[derive(Debug, thiserror::Error)]
#[error("must be a language that the shop writes in: en or de")]
pub struct InvalidLocale;

impl Locale {
    /// All languages.
    pub const ALL: &[Self] = &[Self::En, Self::De];

    /// `en` or `de`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// Returns the best match for an `Accept-Language` header; `None` if it names no language that the
    /// shop writes in. Regions and scripts make no difference: `de-AT` is German.
    /// <https://www.rfc-editor.org/rfc/rfc9110#name-accept-language>
    #[must_use]
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for range in header.split(',') {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let primary = tag.trim().split('-').next().unwrap_or_default();
            let known = Self::ALL.iter().find(|known| primary.eq_ignore_ascii_case(known.as_str()));
            let (Some(locale), weight) = (known, weight(parameters)) else { continue };
            // Of several with the same weight, the first.
            if weight > best.map_or(0, |(weight, _)| weight) {
                best = Some((weight, *locale));
            }
        }
        best.map(|(_, locale)| locale)
    }
}

/// Returns a range's weight in thousandths. One that is malformed counts as 0, "not acceptable".
fn weight(parameters: &str) -> u16 {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return 1000;
    }
    let weight = parameters.strip_prefix(['q', 'Q']).map(str::trim_start);
    let weight = weight.and_then(|rest| rest.strip_prefix('=')).map(str::trim);
    let (whole, decimals) =
        match weight.map(|weight| weight.split_once('.').unwrap_or((weight, ""))) {
            Some(("0" | "1", decimals)) if decimals.len() > 3 => return 0,
            Some((whole @ ("0" | "1"), decimals)) => (whole, decimals),
            _ => return 0,
        };
    let thousandths = format!("{whole}{decimals:0<3}").parse().unwrap_or(0);
    if thousandths > 1000 { 0 } else { thousandths }
}

/// Reads a stored language. One that this version does not know, such as a later version's, counts as
/// absent: it must not make a user unreadable.
pub(super) fn if_known<'de, D>(deserializer: D) -> Result<Option<Locale>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Locale {
    type Err = InvalidLocale;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().find(|locale| locale.as_str() == text).copied().ok_or(InvalidLocale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_match_for_a_header_is_the_supported_language_with_the_highest_weight() {
        for (header, expected) in [
            ("de", Some(Locale::De)),
            ("de-AT, de;q=0.9, en;q=0.8", Some(Locale::De)),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Some(Locale::En)),
            ("en;q=0.5,DE-Latn-CH", Some(Locale::De)),
            ("en , de", Some(Locale::En)),
            ("de;q=0, en;q=0.001", Some(Locale::En)),
            ("de ; q = 1.000", Some(Locale::De)),
            ("de;q=1.5, en;q=x", None),
            ("de;q=0.1234", None),
            ("deu, english", None),
            ("fr, *", None),
            ("", None),
        ] {
            assert_eq!(Locale::accepted(header), expected, "{header:?}");
        }
    }
}
