//! Times in the formats of databases.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use storefront_core::Timestamp;

/// Parses a date and time. Without an offset, it is in UTC; a date alone is its midnight. Fractions
/// of a millisecond are cut off.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
        let local = text.parse::<DateTime>().ok()?;
        Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })?;
    let millis = time.as_millisecond() - i64::from(time.subsec_nanosecond() < 0);
    Timestamp::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_of_databases_are_parsed() {
        for (text, read) in [
            // PostgreSQL: timestamptz, timestamp, date.
            ("2026-11-22 10:00:00.5+00", "2026-11-22T10:00:00.500Z"),
            ("2026-11-22 10:00:00.123456", "2026-11-22T10:00:00.123Z"),
            ("2026-11-22", "2026-11-22T00:00:00.000Z"),
            // MySQL.
            ("2026-11-22 10:00:00", "2026-11-22T10:00:00.000Z"),
            // What programs write into SQLite.
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z"),
            ("2026-11-22T10:00:00.000+01:00", "2026-11-22T09:00:00.000Z"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), read, "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_parsed() {
        for text in ["", "infinity", "0000-00-00 00:00:00", "yesterday", "1767225600", "10:00"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
