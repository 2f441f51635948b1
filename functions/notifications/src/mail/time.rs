//! Moments as people write them.

use jiff::tz::Offset;
use storefront_core::{Locale, Timestamp};

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// Writes a moment in UTC, and says so, because where the customer is is not known.
pub(crate) fn format(moment: Timestamp, locale: Locale) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment.as_millis()).unwrap_or_default();
    let local = Offset::UTC.to_datetime(moment);
    let (day, year, hour, minute) = (local.day(), local.year(), local.hour(), local.minute());
    let months = match locale {
        Locale::En => MONTHS_EN,
        Locale::De => MONTHS_DE,
    };
    let month = usize::try_from(local.month() - 1).ok().and_then(|month| months.get(month));
    let month = month.copied().unwrap_or_default();
    match locale {
        Locale::En => format!("{day} {month} {year}, {hour:02}:{minute:02} UTC"),
        Locale::De => format!("{day}. {month} {year}, {hour:02}:{minute:02} Uhr (UTC)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_the_language_writes_it() {
        let moment: Timestamp = "2027-03-09T23:05:59.999Z".parse().unwrap();
        assert_eq!(format(moment, Locale::En), "9 March 2027, 23:05 UTC");
        assert_eq!(format(moment, Locale::De), "9. März 2027, 23:05 Uhr (UTC)");
    }
}
