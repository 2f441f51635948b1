//! How items are identified and compared.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use storefront_core::schema::{Item, LEGACY_ID, ORIGIN, PK, SK, TYPE, prefix};

use crate::entity::AVAILABLE_REVISION;

/// The key of an item.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub(super) struct ItemKey {
    #[serde(rename = "PK")]
    pub(super) pk: String,
    #[serde(rename = "SK")]
    pub(super) sk: String,
}

impl ItemKey {
    pub(super) fn of(item: &Item) -> Self {
        let text = |name| text(item, name).unwrap_or_default().to_owned();
        Self { pk: text(PK), sk: text(SK) }
    }

    /// Returns the key as DynamoDB takes it.
    pub(super) fn to_item(&self) -> Item {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        Item::from([(PK.to_owned(), text(&self.pk)), (SK.to_owned(), text(&self.sk))])
    }

    /// Returns the key as it may be shown: without an email.
    pub(super) fn shown(&self) -> Self {
        if self.pk.starts_with(prefix::EMAIL) {
            Self { pk: format!("{}…", prefix::EMAIL), sk: self.sk.clone() }
        } else {
            self.clone()
        }
    }
}

/// Returns the value of a string attribute.
pub(super) fn text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}

/// Returns the item's `_type`.
pub(super) fn type_of(item: &Item) -> &str {
    text(item, TYPE).unwrap_or_default()
}

/// Returns the key that the item's unit has in the source.
pub(super) fn legacy_id(item: &Item) -> Option<&str> {
    text(item, LEGACY_ID)
}

/// Whether an update by the shop has incremented the item's version.
pub(super) fn is_updated(item: &Item) -> bool {
    match item.get("version") {
        Some(AttributeValue::N(version)) => version.parse::<u64>().is_ok_and(|it| it > 1),
        _ => false,
    }
}

/// The digest of an item, or the sum of many digests, which does not depend on their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest(u128);

impl Digest {
    /// Returns the digest of an item in a canonical form: two items have the same digest if
    /// DynamoDB considers them equal, apart from what is not compared.
    pub(super) fn of(item: &Item) -> Self {
        let mut hash = Sha256::new();
        write_attributes(&mut hash, item.iter().filter(|(name, _)| is_compared(name)));
        let mut first = [0; 16];
        first.copy_from_slice(&hash.finalize()[..16]);
        Self(u128::from_be_bytes(first))
    }

    pub(super) fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The first half is enough to show.
        write!(f, "{:016x}", self.0 >> 64)
    }
}

/// Whether an attribute is compared. The revision of a product's availability counts writes, and says
/// nothing about the product. An order's origin says who wrote it, and the shop's next change removes
/// it.
fn is_compared(name: &str) -> bool {
    ![AVAILABLE_REVISION, ORIGIN].contains(&name)
}

/// Returns the names of the attributes that differ, or that only one of the items has.
pub(super) fn differing(one: &Item, other: &Item) -> Vec<String> {
    let names = one.keys().chain(other.keys()).filter(|name| is_compared(name));
    let names: BTreeSet<_> = names.collect();
    let is_same = |name: &String| match (one.get(name), other.get(name)) {
        (Some(one), Some(other)) => digest_of(one) == digest_of(other),
        _ => false,
    };
    names.into_iter().filter(|name| !is_same(name)).cloned().collect()
}

fn digest_of(value: &AttributeValue) -> impl PartialEq + use<> {
    let mut hash = Sha256::new();
    write(&mut hash, value);
    hash.finalize()
}

/// Writes the attributes in the order of their names.
fn write_attributes<'i>(
    hash: &mut Sha256,
    attributes: impl IntoIterator<Item = (&'i String, &'i AttributeValue)>,
) {
    let mut sorted: Vec<_> = attributes.into_iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    write_length(hash, sorted.len());
    for (name, value) in sorted {
        write_bytes(hash, name.as_bytes());
        write(hash, value);
    }
}

/// Writes type, length and content, so that nothing can be mistaken for something else. Sets are
/// sorted, because they have no order.
fn write(hash: &mut Sha256, value: &AttributeValue) {
    match value {
        AttributeValue::S(text) => write_all(hash, b"S", [text.as_bytes()]),
        AttributeValue::N(number) => write_all(hash, b"N", [plain(number).as_bytes()]),
        AttributeValue::B(bytes) => write_all(hash, b"B", [bytes.as_ref()]),
        AttributeValue::Ss(texts) => write_set(hash, b"SS", texts.iter().map(String::as_bytes)),
        AttributeValue::Ns(numbers) => {
            let numbers: Vec<_> = numbers.iter().map(|number| plain(number)).collect();
            write_set(hash, b"NS", numbers.iter().map(|number| number.as_bytes()));
        }
        AttributeValue::Bs(all) => write_set(hash, b"BS", all.iter().map(AsRef::as_ref)),
        AttributeValue::L(all) => {
            hash.update(b"L");
            write_length(hash, all.len());
            for value in all {
                write(hash, value);
            }
        }
        AttributeValue::M(map) => {
            hash.update(b"M");
            write_attributes(hash, map);
        }
        // A boolean or a null: the SDK has no other types today.
        other => write_all(hash, b"?", [format!("{other:?}").as_bytes()]),
    }
}

fn write_set<'v>(hash: &mut Sha256, kind: &[u8], values: impl Iterator<Item = &'v [u8]>) {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable();
    write_all(hash, kind, values);
}

fn write_all<'v>(hash: &mut Sha256, kind: &[u8], values: impl IntoIterator<Item = &'v [u8]>) {
    hash.update(kind);
    for value in values {
        write_bytes(hash, value);
    }
    // The end: no value is this long.
    hash.update([0xff; 8]);
}

fn write_bytes(hash: &mut Sha256, bytes: &[u8]) {
    write_length(hash, bytes.len());
    hash.update(bytes);
}

fn write_length(hash: &mut Sha256, length: usize) {
    hash.update((length as u64).to_be_bytes());
}

/// Returns a number without insignificant zeros, as DynamoDB returns it.
fn plain(number: &str) -> &str {
    let number = match number.split_once('.') {
        Some(_) if !number.contains(['e', 'E']) => {
            number.trim_end_matches('0').trim_end_matches('.')
        }
        _ => number,
    };
    number.strip_prefix('+').unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(attributes: &[(&str, AttributeValue)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    fn s(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn n(text: &str) -> AttributeValue {
        AttributeValue::N(text.to_owned())
    }

    #[test]
    fn equal_items_have_the_same_digest() {
        let set = |all: [&str; 2]| AttributeValue::Ss(all.map(str::to_owned).to_vec());
        for (one, other) in
            [(n("1.50"), n("1.5")), (n("7.0"), n("7")), (set(["a", "b"]), set(["b", "a"]))]
        {
            let (one, other) =
                (of(&[("x", one), ("y", s("1"))]), of(&[("y", s("1")), ("x", other)]));
            assert_eq!(Digest::of(&one), Digest::of(&other));
            assert!(differing(&one, &other).is_empty());
        }
    }

    #[test]
    fn different_items_have_different_digests() {
        let item = of(&[("x", s("1")), ("y", s("2"))]);
        for (other, names) in [
            (of(&[("x", n("1")), ("y", s("2"))]), vec!["x"]),
            (of(&[("x", s("12")), ("y", s(""))]), vec!["x", "y"]),
            (of(&[("x", s("1"))]), vec!["y"]),
            (of(&[("x", s("1")), ("y", s("2")), ("z", AttributeValue::Null(true))]), vec!["z"]),
            (of(&[("x", AttributeValue::Ss(vec!["1".to_owned()])), ("y", s("2"))]), vec!["x"]),
        ] {
            assert_ne!(Digest::of(&item), Digest::of(&other));
            assert_eq!(differing(&item, &other), names);
        }
        assert_eq!(
            [plain("100"), plain("0.10"), plain("+7"), plain("1.0e5")],
            ["100", "0.1", "7", "1.0e5"]
        );
    }

    #[test]
    fn a_sum_of_digests_does_not_depend_on_the_order() {
        let items = ["a", "b", "c"].map(|text| of(&[("x", s(text))]));
        let sum = |items: &mut dyn Iterator<Item = &Item>| {
            let mut sum = Digest::default();
            items.for_each(|item| sum.add(Digest::of(item)));
            sum
        };
        assert_eq!(sum(&mut items.iter()), sum(&mut items.iter().rev()));
        assert_ne!(sum(&mut items.iter()), sum(&mut items.iter().skip(1)));
    }

    #[test]
    fn a_key_is_shown_without_the_email() {
        let key = |pk: &str| ItemKey { pk: pk.to_owned(), sk: "METADATA".to_owned() };
        assert_eq!(key("EMAIL#anna@example.com").shown(), key("EMAIL#…"));
        assert_eq!(key("USER#1").shown(), key("USER#1"));
    }
}
