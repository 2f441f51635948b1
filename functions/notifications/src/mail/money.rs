//! Amounts of money as people write them.

use storefront_core::{Currency, Locale};

/// Between an amount and its currency: a space at which no line breaks.
const NO_BREAK_SPACE: char = '\u{a0}';

/// Writes an amount in the currency's minor unit: `EUR 1,234.50` in English, `1.234,50 EUR` in German.
///
/// The currency is its code. Symbols are shorter, but many currencies share `$`.
pub(crate) fn format(amount: i128, currency: Currency, locale: Locale) -> String {
    let (group, decimal) = match locale {
        Locale::En => (',', '.'),
        Locale::De => ('.', ','),
    };
    let digits = usize::from(currency.exponent().unwrap_or_default());
    let text = format!("{:0>1$}", amount.unsigned_abs(), digits + 1);
    let (whole, minor) = text.split_at(text.len() - digits);
    let mut number = String::with_capacity(text.len() * 2);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            number.push(group);
        }
        number.push(digit);
    }
    if !minor.is_empty() {
        number.push(decimal);
        number.push_str(minor);
    }
    let (sign, code) = (if amount < 0 { "-" } else { "" }, currency.code());
    match locale {
        Locale::En => format!("{sign}{code}{NO_BREAK_SPACE}{number}"),
        Locale::De => format!("{sign}{number}{NO_BREAK_SPACE}{code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_has_the_decimals_of_its_currency_and_the_separators_of_the_language() {
        for (amount, currency, en, de) in [
            (123_450, Currency::EUR, "EUR 1,234.50", "1.234,50 EUR"),
            (0, Currency::EUR, "EUR 0.00", "0,00 EUR"),
            (7, Currency::USD, "USD 0.07", "0,07 USD"),
            (99_999, Currency::CHF, "CHF 999.99", "999,99 CHF"),
            (1_890_000, Currency::JPY, "JPY 1,890,000", "1.890.000 JPY"),
            (5, Currency::JPY, "JPY 5", "5 JPY"),
            (1_234, Currency::KWD, "KWD 1.234", "1,234 KWD"),
            (12, Currency::BHD, "BHD 0.012", "0,012 BHD"),
            (-490, Currency::EUR, "-EUR 4.90", "-4,90 EUR"),
            (
                (1 << 53) - 1,
                Currency::EUR,
                "EUR 90,071,992,547,409.91",
                "90.071.992.547.409,91 EUR",
            ),
        ] {
            let plain = |locale| format(amount, currency, locale).replace(NO_BREAK_SPACE, " ");
            assert_eq!((&*plain(Locale::En), &*plain(Locale::De)), (en, de));
        }
    }
}
