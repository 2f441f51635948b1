//! What prices may be in, and how large a total may be.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Currency;

/// The highest total of an order, in the currency's minor unit: the largest whole number that every
/// JSON client reads exactly (RFC 8259, section 6).
pub const MAX_TOTAL: u64 = (1 << 53) - 1;

/// A currency that new prices may be in: ISO 4217 without the codes that nobody pays with. Those
/// are gold and other metals, funds, units of account, `XTS` for tests and `XXX` for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Currency", try_from = "String")]
pub struct PriceCurrency(Currency);

/// The text is not the code of a currency that people pay with.
#[derive(Debug, thiserror::Error)]
#[error("must be the code of a currency that people pay with (ISO 4217), such as EUR")]
pub struct InvalidCurrency;

impl FromStr for PriceCurrency {
    type Err = InvalidCurrency;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let currency = Currency::from_code(text).ok_or(InvalidCurrency)?;
        let is_money =
            currency.exponent().is_some() && !currency.is_special() && !currency.is_fund();
        is_money.then_some(Self(currency)).ok_or(InvalidCurrency)
    }
}

impl TryFrom<String> for PriceCurrency {
    type Error = InvalidCurrency;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<PriceCurrency> for Currency {
    fn from(PriceCurrency(currency): PriceCurrency) -> Self {
        currency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_pay_with_is_a_currency_and_metals_funds_and_placeholders_are_not() {
        for code in ["EUR", "USD", "JPY", "KWD", "CLP", "XOF", "XPF", "XCD"] {
            assert_eq!(Currency::from(code.parse::<PriceCurrency>().unwrap()).code(), code);
        }
        for code in ["XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XDR", "XBA", "XSU", "XUA", "XAD"] {
            assert!(code.parse::<PriceCurrency>().is_err(), "{code}");
        }
        for code in ["USN", "CLF", "BOV", "UYW", "CHE", "", "eur", "EURO", " EUR", "EU"] {
            assert!(code.parse::<PriceCurrency>().is_err(), "{code}");
        }
    }
}
