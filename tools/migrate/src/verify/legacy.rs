//! Turns the keys that items keep back into keys of the source.

use std::collections::HashSet;
use std::mem::{Discriminant, discriminant};

use uuid::Uuid;

use crate::Key;

/// The types of a kind's keys in the source. Items keep their keys as text, without the type.
#[derive(Debug, Default)]
pub(super) struct KeyTypes(HashSet<Discriminant<Key>>);

impl KeyTypes {
    /// Learns the type of a key that the source has.
    pub(super) fn learn(&mut self, key: &Key) {
        self.0.insert(discriminant(key));
    }

    /// Returns the possible keys that are written like this.
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
    fn a_key_is_found_by_its_text() {
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
    fn a_text_that_no_key_is_written_as_has_no_key() {
        let mut types = KeyTypes::default();
        types.learn(&Key::Integer(1));
        types.learn(&Key::Bytes(vec![1]));
        for text in ["", "1.5", "+1", "01", "0x1", "0xé1", "else"] {
            assert_eq!(types.keys(text).count(), 0, "{text}");
        }
    }
}
