//! Formats figures for people.

pub(super) fn bytes(bytes: u64) -> String {
    let value = float(bytes);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} KB", value / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.1} GB", value / 1e9),
    }
}

/// Formats an amount with two decimals, or with four if it is below 0.1.
pub(super) fn money(amount: f64) -> String {
    if amount == 0.0 || amount >= 0.1 { format!("{amount:.2}") } else { format!("{amount:.4}") }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

pub(super) fn duration(seconds: f64) -> String {
    match rounded(seconds.ceil()) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[allow(clippy::cast_precision_loss, reason = "only a few digits are shown")]
pub(super) fn float(value: u64) -> f64 {
    value as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "neither happens here")]
pub(super) fn rounded(value: f64) -> u64 {
    value.round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_significant_digits() {
        assert_eq!([999, 1_500, 2_000_000].map(bytes), ["999 B", "1.5 KB", "2.0 MB"]);
        assert_eq!([0.0, 0.00123, 12.345].map(money), ["0.00", "0.0012", "12.35"]);
        assert_eq!(
            [0.2, 119.0, 121.0, 7_260.0].map(duration),
            ["1 s", "119 s", "3 min", "2 h 1 min"]
        );
        assert_eq!(percent(0.125), "12.5 %");
    }
}
