//! What the values of several commands' options are.

use std::time::Duration;

/// `10ms`, or `0`.
pub(crate) fn milliseconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix("ms").unwrap_or(text);
    match number.parse::<u32>() {
        Ok(number) if number == 0 || text.ends_with("ms") => {
            Ok(Duration::from_millis(number.into()))
        }
        _ => Err("write milliseconds, such as 10ms, or 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_unit() {
        assert_eq!(milliseconds("10ms"), Ok(Duration::from_millis(10)));
        assert_eq!(milliseconds("0"), Ok(Duration::ZERO));
        assert_eq!(milliseconds("0ms"), Ok(Duration::ZERO));
        for wrong in ["10", "10s", "ms", "-1ms", ""] {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }
}
