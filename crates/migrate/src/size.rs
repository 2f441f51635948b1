//! What items weigh, and what it takes to write them.

use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::schema::{GSI1PK, GSI1SK, Item};

/// The most bytes of an item, which DynamoDB sets.
pub const MAX_ITEM_BYTES: usize = 400 * 1024;

/// What one write capacity unit writes.
const WRITE_UNIT: usize = 1024;

/// The bytes of an item as DynamoDB counts them: the names and the values of its attributes.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>
#[must_use]
pub fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

/// The write capacity units of putting a new item: the table's, and those of its copy in the index
/// where it has one.
#[must_use]
pub fn write_units(item: &Item) -> u32 {
    let units = u32::try_from(item_bytes(item).div_ceil(WRITE_UNIT).max(1)).unwrap_or(u32::MAX);
    // The index has all attributes, and so the same size.
    let is_indexed = item.contains_key(GSI1PK) && item.contains_key(GSI1SK);
    if is_indexed { units.saturating_mul(2) } else { units }
}

fn value_bytes(value: &AttributeValue) -> usize {
    /// What a list or a map takes beside its members, and each of these.
    const NESTED: usize = 3;
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number_bytes(number),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|number| number_bytes(number)).sum(),
        AttributeValue::Bs(all) => all.iter().map(|bytes| bytes.as_ref().len()).sum(),
        AttributeValue::L(values) => {
            NESTED + values.iter().map(|value| value_bytes(value) + 1).sum::<usize>()
        }
        AttributeValue::M(map) => {
            let members = map.iter().map(|(name, value)| name.len() + value_bytes(value) + 1);
            NESTED + members.sum::<usize>()
        }
        _ => 1,
    }
}

/// Two digits are a byte, zeros around the others left out, and one byte more.
fn number_bytes(number: &str) -> usize {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_matches('0').len();
    digits.div_ceil(2) + 1 + usize::from(number.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(attributes: &[(&str, AttributeValue)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn names_and_values_count() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |number: &str| AttributeValue::N(number.to_owned());
        assert_eq!(item_bytes(&item(&[("PK", text("USER#1"))])), 8);
        assert_eq!(item_bytes(&item(&[("name", text("J\u{f6}rg"))])), 9);
        assert_eq!(item_bytes(&item(&[("price", number("1200"))])), 7);
        assert_eq!(item_bytes(&item(&[("price", number("-123"))])), 9);
        assert_eq!(item_bytes(&item(&[("soldOut", AttributeValue::Bool(true))])), 8);
    }

    #[test]
    fn each_kilobyte_begun_is_a_unit_and_the_index_costs_as_much_again() {
        let text = |length| AttributeValue::S("x".repeat(length));
        let plain = |length| item(&[("PK", text(length))]);
        assert_eq!([1, 1022, 1023].map(|length| write_units(&plain(length))), [1, 1, 2]);
        let indexed = item(&[("PK", text(1)), (GSI1PK, text(1)), (GSI1SK, text(1))]);
        assert_eq!(write_units(&indexed), 2);
    }
}
