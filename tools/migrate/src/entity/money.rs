//! Exact amounts of money.

use storefront_core::{Currency, MAX_PRICE};

use crate::mapping::PriceUnit;

/// Why a text is not a valid price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoPrice {
    /// Not a number, or one with more decimals than the currency has.
    Invalid(String),
    /// Negative, or above the shop's maximum.
    OutOfRange,
}

/// Parses an amount, and returns it in the currency's minor unit.
pub(super) fn minor(text: &str, unit: PriceUnit, currency: Currency) -> Result<u64, NoPrice> {
    let invalid = |rule: &str| NoPrice::Invalid(rule.to_owned());
    let decimals = match unit {
        PriceUnit::Minor => 0,
        PriceUnit::Decimal => usize::from(currency.exponent().ok_or_else(|| {
            NoPrice::Invalid(format!("{} does not have a minor unit", currency.code()))
        })?),
    };
    let (is_negative, digits) = match text.trim().strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.trim()),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) {
        return Err(invalid("must be a number such as 12.30"));
    }
    // 12.300 equals 12.30.
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals {
        return Err(match unit {
            PriceUnit::Minor => {
                invalid("must be whole, in the currency's minor unit (price = \"minor\")")
            }
            PriceUnit::Decimal => {
                NoPrice::Invalid(format!("{} has {decimals} decimals", currency.code()))
            }
        });
    }
    let minor = format!("{whole}{fraction:0<decimals$}");
    // A number that does not fit is too large in any case.
    let amount = minor.parse::<u64>().map_err(|_| NoPrice::OutOfRange)?;
    if amount > MAX_PRICE || (is_negative && amount > 0) {
        return Err(NoPrice::OutOfRange);
    }
    Ok(amount)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DECIMAL: PriceUnit = PriceUnit::Decimal;

    #[test]
    fn amounts_have_the_decimals_of_the_currency() {
        for (text, currency, amount) in [
            ("12.30", Currency::EUR, 1230),
            ("12.3", Currency::EUR, 1230),
            ("12.3000", Currency::EUR, 1230),
            ("12", Currency::EUR, 1200),
            ("0.05", Currency::EUR, 5),
            ("1500", Currency::JPY, 1500),
            ("1500.00", Currency::JPY, 1500),
            ("1.234", Currency::KWD, 1234),
            ("-0.00", Currency::EUR, 0),
        ] {
            assert_eq!(minor(text, DECIMAL, currency), Ok(amount), "{text}");
        }
        assert_eq!(minor("1230", PriceUnit::Minor, Currency::EUR), Ok(1230));
    }

    #[test]
    fn invalid_and_out_of_range_amounts_are_rejected() {
        for text in ["12.345", "12,30", "", ".", "1e3", "NaN", "$12.30", "--1"] {
            assert!(
                matches!(minor(text, DECIMAL, Currency::EUR), Err(NoPrice::Invalid(_))),
                "{text}"
            );
        }
        assert!(minor("12.30", PriceUnit::Minor, Currency::EUR).is_err());
        for text in ["-0.01", "10000000000.01", "99999999999999999999999"] {
            assert_eq!(minor(text, DECIMAL, Currency::EUR), Err(NoPrice::OutOfRange), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_amount_round_trips(amount in 0..=MAX_PRICE) {
            let text = format!("{}.{:02}", amount / 100, amount % 100);
            prop_assert_eq!(minor(&text, DECIMAL, Currency::EUR), Ok(amount));
        }

        #[test]
        fn no_text_causes_a_panic(text in ".*") {
            let _ = minor(&text, DECIMAL, Currency::EUR);
        }
    }
}
