//! Item sizes as DynamoDB counts them: attribute names and values, in bytes.
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>

use aws_sdk_dynamodb::types::AttributeValue;
use storefront_core::schema::{GSI1PK, GSI1SK, GSI2PK, GSI2SK, Item, PK, SK};

/// The maximum size of an item.
pub(crate) const MAX_ITEM: u64 = 400 * 1024;

/// The bytes that one write unit covers.
const WRITE_UNIT: u64 = 1024;

/// The overhead that is billed for the storage of each item in a table or an index, according to
/// the same page. The additional overhead of global tables is not included.
pub(crate) const STORED_WITH: u64 = 100;

/// What GSI2 has of an order: the keys, and the attributes that `template.yaml` projects.
const IN_GSI2: [&str; 19] = [
    PK,
    SK,
    GSI2PK,
    GSI2SK,
    "_type",
    "id",
    "userId",
    "number",
    "status",
    "payment",
    "refundedAmount",
    "cancelReason",
    "payBy",
    "itemCount",
    "total",
    "currency",
    "version",
    "createdAt",
    "updatedAt",
];

/// Returns an item's size in bytes.
pub(crate) fn item(item: &Item) -> u64 {
    item.iter().map(|(name, found)| len(name) + value(found)).sum()
}

/// Returns the write units of an item of this size: in the table, without a transaction, and in
/// each index that has the item.
pub(crate) fn write_units(bytes: u64) -> u64 {
    bytes.div_ceil(WRITE_UNIT).max(1)
}

/// Returns the write units for a new item, including its copies in the indexes.
pub(crate) fn put_units(new: &Item) -> u32 {
    let bytes = std::iter::once(item(new)).chain(copies(new));
    u32::try_from(bytes.map(write_units).sum::<u64>()).unwrap_or(u32::MAX)
}

/// Returns the sizes of the item's copies in the indexes.
pub(crate) fn copies(new: &Item) -> impl Iterator<Item = u64> {
    // GSI1 projects all attributes, so the copy has the same size.
    let whole = (new.contains_key(GSI1PK) && new.contains_key(GSI1SK)).then(|| item(new));
    let in_list = new.contains_key(GSI2PK) && new.contains_key(GSI2SK);
    let projected = || {
        let attributes = new.iter().filter(|(name, _)| IN_GSI2.contains(&name.as_str()));
        attributes.map(|(name, found)| len(name) + value(found)).sum()
    };
    whole.into_iter().chain(in_list.then(projected))
}

fn value(value: &AttributeValue) -> u64 {
    match value {
        AttributeValue::S(text) => len(text),
        AttributeValue::N(number) => self::number(number),
        AttributeValue::B(bytes) => bytes.as_ref().len() as u64,
        AttributeValue::Ss(texts) => texts.iter().map(|text| len(text)).sum(),
        AttributeValue::Ns(numbers) => numbers.iter().map(|number| self::number(number)).sum(),
        AttributeValue::Bs(all) => all.iter().map(|bytes| bytes.as_ref().len() as u64).sum(),
        // Three bytes of overhead, and one for each element.
        AttributeValue::L(all) => 3 + all.iter().map(|found| 1 + self::value(found)).sum::<u64>(),
        AttributeValue::M(map) => 3 + map.len() as u64 + item(map),
        // A boolean or a null; the SDK has no other types today.
        _ => 1,
    }
}

/// Returns the size of a number: one byte for each two significant digits, counted separately
/// before and after the decimal point, and one more. AWS says "approximately". A negative number
/// takes another byte, as measured.
fn number(text: &str) -> u64 {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (1, digits),
        None => (0, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut whole = whole.trim_start_matches('0');
    let mut fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        whole = whole.trim_end_matches('0');
    } else if whole.is_empty() {
        fraction = fraction.trim_start_matches('0');
    }
    let pairs = |digits: &str| len(digits).div_ceil(2);
    pairs(whole) + pairs(fraction) + 1 + sign
}

/// Returns the length of the item's line of DynamoDB JSON, `{"Item":{"PK":{"S":"…"},…}}`, by which
/// an import from S3 is billed.
pub(crate) fn json_line(item: &Item) -> u64 {
    const AROUND: u64 = "{\"Item\":{}}\n".len() as u64;
    // Quotes, colons, braces and the type: "":{"S":""}
    const AROUND_TEXT: u64 = "\"\":{\"S\":\"\"}".len() as u64;
    const AROUND_BOOL: u64 = "\"\":{\"BOOL\":}".len() as u64;
    let attributes = item.iter().map(|(name, value)| {
        let value = match value {
            AttributeValue::S(text) => escaped(text),
            AttributeValue::N(number) => len(number),
            AttributeValue::Bool(value) => AROUND_BOOL - AROUND_TEXT + len(&value.to_string()),
            // The shop's items have no other types.
            other => self::value(other),
        };
        AROUND_TEXT + escaped(name) + value
    });
    // The commas between attributes.
    AROUND + attributes.sum::<u64>() + (item.len() as u64).saturating_sub(1)
}

/// Returns the length of a string in JSON, without its quotes.
fn escaped(text: &str) -> u64 {
    let more = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    });
    len(text) + more.sum::<u64>()
}

fn len(text: &str) -> u64 {
    text.len() as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn of(attributes: &[(&str, AttributeValue)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn names_and_values_count_in_bytes() {
        let text = AttributeValue::S("Jörg".to_owned());
        assert_eq!(item(&of(&[("name", text)])), 4 + 5);
        let nothing = AttributeValue::Null(true);
        let map = HashMap::from([("a".to_owned(), nothing.clone())]);
        assert_eq!(item(&of(&[("is", AttributeValue::Bool(true))])), 3);
        assert_eq!(item(&of(&[("l", AttributeValue::L(vec![nothing]))])), 1 + 3 + 2);
        assert_eq!(item(&of(&[("m", AttributeValue::M(map))])), 1 + 3 + 1 + 2);
    }

    #[test]
    fn leading_and_trailing_zeros_of_a_number_do_not_count() {
        for (text, bytes) in [
            ("0", 1),
            ("1", 2),
            ("12", 2),
            ("123", 3),
            ("1230", 3),
            ("1234", 3),
            ("100000", 2),
            ("-12", 3),
            ("123.4", 4),
            ("0.05", 2),
            ("10.5", 3),
            ("1000000000001", 8),
        ] {
            assert_eq!(number(text), bytes, "{text}");
        }
    }

    #[test]
    fn the_length_of_a_line_for_an_import_is_exact() {
        let item = of(&[
            ("PK", AttributeValue::S("USER#1".to_owned())),
            ("name", AttributeValue::S("Anna \"the\\first\"\n\u{1}".to_owned())),
            ("version", AttributeValue::N("1".to_owned())),
            ("selling", AttributeValue::Bool(true)),
            ("available", AttributeValue::Bool(false)),
        ]);
        let line = concat!(
            r#"{"Item":{"PK":{"S":"USER#1"},"name":{"S":"Anna \"the\\first\"\n\u0001"},"#,
            r#""version":{"N":"1"},"selling":{"BOOL":true},"available":{"BOOL":false}}}"#,
            "\n"
        );
        assert_eq!(json_line(&item), line.len() as u64);
    }

    #[test]
    fn an_item_costs_a_unit_more_in_each_index() {
        let text = || AttributeValue::S("x".to_owned());
        assert_eq!(put_units(&of(&[("PK", text())])), 1);
        assert_eq!(put_units(&of(&[("PK", text()), (GSI1PK, text()), (GSI1SK, text())])), 2);
        let long = AttributeValue::S("x".repeat(1100));
        let order = [(GSI1PK, text()), (GSI1SK, text()), (GSI2PK, text()), (GSI2SK, text())];
        // The address is not in GSI2.
        let order = [&order[..], &[("shippingAddress", long)]].concat();
        assert_eq!(put_units(&of(&order)), 2 + 2 + 1);
    }

    #[test]
    fn units_are_rounded_up() {
        assert_eq!([1, 1024, 1025, 2048].map(write_units), [1, 1, 2, 2]);
    }
}
