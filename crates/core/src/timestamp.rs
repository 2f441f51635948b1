use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A moment in UTC, to the millisecond, written as RFC 3339 with exactly three decimals
/// (`2026-11-22T09:00:00.000Z`), so that the text sorts as the time does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Timestamp(jiff::Timestamp);

/// The text is not a date and time with an offset as RFC 3339 has it.
#[derive(Debug, thiserror::Error)]
#[error("must be an RFC 3339 date and time with an offset, such as 2026-11-22T09:00:00Z")]
pub struct InvalidTimestamp;

impl Timestamp {
    /// 1970-01-01, the earliest moment an id can carry.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// The current moment.
    #[must_use]
    pub fn now() -> Self {
        // Within a millisecond of a moment that is representable, and so representable itself.
        Self::from_millis(jiff::Timestamp::now().as_millisecond()).unwrap_or(Self::UNIX_EPOCH)
    }

    /// The moment `millis` milliseconds after 1970; `None` beyond the year 9999.
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
        let parsed: jiff::Timestamp = text.parse().map_err(|_| InvalidTimestamp)?;
        Self::from_millis(parsed.as_millisecond()).ok_or(InvalidTimestamp)
    }
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
    fn an_offset_is_turned_into_utc() {
        let timestamp: Timestamp = "2026-11-22T10:00:00.5+01:00".parse().unwrap();
        assert_eq!(timestamp.to_string(), "2026-11-22T09:00:00.500Z");
    }

    #[test]
    fn a_time_without_offset_is_refused() {
        assert!("2026-11-22T10:00:00".parse::<Timestamp>().is_err());
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
