use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::OrderId;
use crate::openapi::openapi;

/// The maximum length of a number, in bytes. Numbers of former shops are kept, whatever they look like.
const MAX_LENGTH: usize = 64;

/// Crockford's base 32: digits and capitals without I, L, O and U, which are taken for others.
/// <https://www.crockford.com/base32.html>
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// 2020-01-01, in milliseconds since 1970. Earlier orders come from other shops.
const EPOCH: i64 = 1_577_836_800_000;

/// What customers know an order by, in mails and on the phone: `6GKV-2M0T-4X8E`. Nothing finds an order
/// by it; that takes the order's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct OrderNumber(String);

/// The text cannot be an order's number.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 64 visible ASCII characters, with spaces between them at most")]
pub struct InvalidOrderNumber;

openapi!(
    OrderNumber = crate::openapi::string(
        "What customers know the order by. It is not the order's id, which finds the order"
    )
    .min_length(Some(1))
    .max_length(Some(64))
    .examples(["6GKV-2M0T-4X8E"])
);

impl OrderNumber {
    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Makes a new order's number of its id: 41 bits of the time, which last until 2089, and 19 random
/// ones. Two orders of the same millisecond have the same number once in 524,288 times.
impl From<OrderId> for OrderNumber {
    fn from(id: OrderId) -> Self {
        let time = (id.created_at().as_millis() - EPOCH).cast_unsigned() & ((1 << 41) - 1);
        let bytes = id.as_bytes();
        let random = u64::from(u32::from_be_bytes([0, bytes[13], bytes[14], bytes[15]]));
        let bits = time << 19 | random & ((1 << 19) - 1);
        let mut text = String::with_capacity(14);
        for place in (0..12).rev() {
            let digit = usize::try_from(bits >> (5 * place) & 31).unwrap_or_default();
            text.push(DIGITS[digit].into());
            if place % 4 == 0 && place > 0 {
                text.push('-');
            }
        }
        Self(text)
    }
}

impl TryFrom<String> for OrderNumber {
    type Error = InvalidOrderNumber;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_readable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        let is_trimmed = text.trim() == text;
        if is_readable && is_trimmed && (1..=MAX_LENGTH).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(InvalidOrderNumber)
        }
    }
}

impl FromStr for OrderNumber {
    type Err = InvalidOrderNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<OrderNumber> for String {
    fn from(number: OrderNumber) -> Self {
        number.0
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_number_is_short_and_the_same_for_the_same_order() {
        let id: OrderId = "01930000-0000-7000-8000-000000000201".parse().unwrap();
        let number = OrderNumber::from(id);
        assert_eq!(number.as_str(), OrderNumber::from(id).as_str());
        assert_eq!(number.as_str().len(), 14);
        assert_eq!(number.as_str().parse::<OrderNumber>().unwrap(), number);
    }

    #[test]
    fn orders_have_numbers_of_their_own() {
        let of_time_and_random = |time: u128, random: u128| {
            let id = uuid::Uuid::from_u128(time << 80 | 7 << 76 | 8 << 60 | random);
            OrderNumber::from(id.to_string().parse::<OrderId>().unwrap()).to_string()
        };
        let now = 1_790_000_000_000;
        let a_second: HashSet<_> = (0..1000).map(|ms| of_time_and_random(now + ms, 0)).collect();
        assert_eq!(a_second.len(), 1000, "one number for each millisecond");
        let of_a_millisecond: HashSet<_> =
            (0..1 << 19).map(|random| of_time_and_random(now, random)).collect();
        assert_eq!(of_a_millisecond.len(), 1 << 19, "one number for each of the 19 random bits");
    }

    #[test]
    fn numbers_of_former_shops_are_kept_and_nonsense_is_not() {
        for text in ["100017", "2019/00042", "ORD 17", "#1001"] {
            assert_eq!(text.parse::<OrderNumber>().unwrap().as_str(), text);
        }
        for text in ["", " ", " 17", "17\n", "\u{e9}", &"9".repeat(65)] {
            assert!(text.parse::<OrderNumber>().is_err(), "{text:?}");
        }
    }
}
