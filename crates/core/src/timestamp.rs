use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::openapi::openapi;

/// A moment in UTC, to the millisecond, written as RFC 3339 with exactly three decimals
/// (`2026-11-22T09:00:00.000Z`), so that it sorts by time as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(jiff::Timestamp);

/// The text is not an RFC 3339 date and time with an offset.
#[derive(Debug, thiserror::Error)]
#[error("must be an RFC 3339 date and time with an offset, such as 2026-11-22T09:00:00Z")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// 1970-01-01, the earliest moment an id can carry.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// Returns the current time.
    #[must_use]
    pub fn now() -> Self {
        // A representable moment cut to milliseconds is representable, too.
        Self::from_millis(jiff::Timestamp::now().as_millisecond()).unwrap_or(Self::UNIX_EPOCH)
    }

    /// Returns the moment `millis` milliseconds after 1970; `None` after the year 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(millis).ok().map(Self)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// Seconds since 1970, as DynamoDB's TTL counts them.
    #[must_use]
    pub fn as_seconds(self) -> i64 {
        self.as_millis().div_euclid(1000)
    }
}

openapi!(
    Timestamp = crate::openapi::string("A moment in UTC, to the millisecond (RFC 3339)")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .pattern(Some(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"))
        .examples(["2026-11-22T09:00:00.000Z"])
);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.to_string()
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !is_rfc_3339(text) {
            return Err(InvalidTimestamp);
        }
        match text.parse::<jiff::Timestamp>() {
            Ok(parsed) => Self::from_millis(parsed.as_millisecond()).ok_or(InvalidTimestamp),
            // Clients write the last second of 9999 to mean "for ever". It is 26 hours beyond what
            // can be represented in every time zone.
            Err(_) if text.starts_with("9999-12-3") => {
                let local = text[..SECONDS].parse::<jiff::civil::DateTime>();
                local.map(|_| Self(jiff::Timestamp::MAX)).map_err(|_| InvalidTimestamp)
            }
            Err(_) => Err(InvalidTimestamp),
        }
    }
}

/// The length of a date and time to the second.
const SECONDS: usize = "2026-11-22T09:00:00".len();

/// Whether the text has the form of RFC 3339, section 5.6; jiff also reads other forms of ISO 8601.
/// jiff checks the ranges of the numbers, except for the offset, which it allows to exceed a day.
fn is_rfc_3339(text: &str) -> bool {
    let has_shape = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                _ => byte.eq_ignore_ascii_case(&wanted),
            })
    };
    let Some((local, rest)) = text.split_at_checked(SECONDS) else {
        return false;
    };
    let offset = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if offset.len() == fraction.len() {
                return false;
            }
            offset
        }
        None => rest,
    };
    let is_within_a_day = || offset.get(1..3).is_some_and(|hours| hours < "24");
    has_shape(local, "0000-00-00T00:00:00")
        && (has_shape(offset, "Z")
            || ((has_shape(offset, "+00:00") || has_shape(offset, "-00:00")) && is_within_a_day()))
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidTimestamp;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_keep_their_three_decimals() {
        assert_eq!(Timestamp::from_millis(0).unwrap().to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn an_offset_is_converted_to_utc() {
        let timestamp: Timestamp = "2026-11-22T10:00:00.5+01:00".parse().unwrap();
        assert_eq!(timestamp.to_string(), "2026-11-22T09:00:00.500Z");
    }

    #[test]
    fn text_that_is_not_rfc_3339_is_rejected() {
        for text in [
            "",
            "yesterday",
            "2026-11-22",
            "2026-11-22T10:00:00",
            "2026-11-22T10:00Z",
            "2026-11-22T10Z",
            "2026-11-22 10:00:00Z",
            "20261122T100000Z",
            "-000001-11-22T10:00:00Z",
            "2026-11-22T10:00:00.Z",
            "2026-11-22T10:00:00,5Z",
            "2026-11-22T10:00:00+01",
            "2026-11-22T10:00:00+25:00",
            "2026-11-22T10:00:00+01:00[Europe/Berlin]",
            "2026-13-22T10:00:00Z",
            "10000-01-01T00:00:00Z",
            "9999-12-32T00:00:00Z",
            "2026-11-22T10:00:0\u{e9}Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn all_forms_of_rfc_3339_are_read() {
        for (text, read) in [
            ("2026-11-22t10:00:00z", "2026-11-22T10:00:00.000Z"),
            ("2026-11-22T10:00:00.123456789-23:59", "2026-11-23T09:59:00.123Z"),
            ("2026-12-31T23:59:60Z", "2026-12-31T23:59:59.000Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-30T22:00:00.999Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), read, "{text}");
        }
    }
}
