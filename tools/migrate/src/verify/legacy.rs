//! From the keys that items keep back to the source's.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};

use uuid::Uuid;

use crate::Key;

/// Of which types the keys of a kind are: an item keeps its key as a text, and does not say.
#[derive(Debug, Default)]
pub(super) struct KeyTypes(HashSet<Discriminant<Key>>);

impl KeyTypes {
    /// Learns from a key that the source has.
    pub(super) fn learn(&mut self, key: &Key) {
        self.0.insert(discriminant(key));
    }

    /// The keys that are written so.
    pub(super) fn keys(&self, legacy_id: &str) -> impl Iterator<Item = Key> {
        let uuid = legacy_id.parse::<Uuid>().ok();
        let bytes = match uuid {
            Some(uuid) => Some(uuid.as_bytes().to_vec()),
            None => legacy_id.strip_prefix("0x").and_then(bytes),
        };
        let keys = [
            legacy_id.parse().ok().map(Key::Integer),
            Some(Key::Text(legacy_id.to_owned())),
            uuid.map(Key::Uuid),
            bytes.map(Key::Bytes),
        ];
        let is_possible =
            move |key: &Key| self.0.contains(&discriminant(key)) && key.to_string() == legacy_id;
        keys.into_iter().flatten().filter(is_possible)
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    if digits.len().is_multiple_of(2) {
        (0..digits.len()).step_by(2).map(byte).collect()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_from_how_it_is_written() {
        let uuid = Uuid::from_u128(17);
        for key in [
            Key::Integer(-17),
            Key::Text("0x17".to_owned()),
            Key::Text(uuid.to_string().to_uppercase()),
            Key::Uuid(uuid),
            Key::Bytes(uuid.as_bytes().to_vec()),
            Key::Bytes(vec![0, 255, 1]),
            Key::Bytes(Vec::new()),
        ] {
            let mut types = KeyTypes::default();
            assert_eq!(types.keys(&key.to_string()).count(), 0, "no type is known");
            types.learn(&key);
            assert_eq!(types.keys(&key.to_string()).collect::<Vec<_>>(), [key]);
        }
    }

    #[test]
    fn what_no_key_is_written_as_is_none() {
        let mut types = KeyTypes::default();
        types.learn(&Key::Integer(1));
        types.learn(&Key::Bytes(vec![1]));
        for text in ["", "1.5", "+1", "01", "0x1", "0xé1", "else"] {
            assert_eq!(types.keys(text).count(), 0, "{text}");
        }
    }
}
