use std::fmt;

use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

/// A value of a row, as far as the database's types matter here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// No value.
    Null,
    /// True or false, if the database has a type for it.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number, exactly as it is written.
    Decimal(String),
    /// A text; also a date, a time, and everything else that can be written as one.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID, if the database has a type for it.
    Uuid(Uuid),
}

/// The key of a row in its source.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Key {
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// A UUID.
    Uuid(Uuid),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl Value {
    /// Returns the value as a person would write it.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Decimal(text) | Self::Text(text) => text.clone(),
            Self::Bytes(bytes) => of_bytes(bytes),
            Self::Uuid(uuid) => uuid.to_string(),
        }
    }
}

/// Writes bytes as text. Sixteen bytes are a UUID, because MySQL stores UUIDs like this.
fn of_bytes(bytes: &[u8]) -> String {
    use fmt::Write as _;
    if let Ok(uuid) = Uuid::from_slice(bytes) {
        return uuid.to_string();
    }
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            other => serializer.serialize_str(&other.to_text()),
        }
    }
}

impl Key {
    /// Returns the value as a key, if it can be one.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(value) => Some(Self::Integer(*value)),
            Value::Text(text) => Some(Self::Text(text.clone())),
            Value::Uuid(uuid) => Some(Self::Uuid(*uuid)),
            Value::Bytes(bytes) => Some(Self::Bytes(bytes.clone())),
            Value::Null | Value::Bool(_) | Value::Decimal(_) => None,
        }
    }
}

/// Writes the key as items keep it, in `legacyId`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Uuid(uuid) => uuid.fmt(f),
            Self::Bytes(bytes) => of_bytes(bytes).fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_from_json_as_it_was() {
        for key in [
            Key::Integer(-17),
            Key::Text("17".to_owned()),
            Key::Uuid(Uuid::from_u128(17)),
            Key::Bytes(vec![0, 255]),
        ] {
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(serde_json::from_str::<Key>(&json).unwrap(), key, "{json}");
        }
    }

    #[test]
    fn sixteen_bytes_are_a_uuid_and_others_are_not() {
        let uuid = Uuid::from_u128(17);
        assert_eq!(Key::Bytes(uuid.as_bytes().to_vec()).to_string(), uuid.to_string());
        assert_eq!(Key::Bytes(vec![1, 171]).to_string(), "0x01ab");
    }
}
