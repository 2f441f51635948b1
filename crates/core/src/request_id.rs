use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// The maximum length of a request id. API Gateway's have 16 characters; Lambda's are UUIDs, so 36.
const MAX_LENGTH: usize = 64;

/// The id of the API request that changed something: 1 to 64 visible ASCII characters.
///
/// It follows a change from the API's log through the order's item and the table's stream to the
/// event that subscribers get. No decision depends on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RequestId(String);

/// The text is not 1 to 64 visible ASCII characters.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to {MAX_LENGTH} visible ASCII characters")]
pub struct InvalidRequestId;

impl RequestId {
    /// The id as received.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RequestId {
    type Error = InvalidRequestId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_visible && (1..=MAX_LENGTH).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(InvalidRequestId)
        }
    }
}

/// Reads an attribute, but ignores an invalid request id, so that the order can still be read.
pub(crate) fn if_valid<'de, D>(deserializer: D) -> Result<Option<RequestId>, D::Error>
where
    D: Deserializer<'de>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| RequestId::try_from(text).ok()))
}

impl FromStr for RequestId {
    type Err = InvalidRequestId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_owned().try_into()
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_api_gateway_and_of_lambda_are_accepted() {
        for id in ["JKJaXmPLvHcESHA=", "8f507cfc-xmpl-4697-b07a-ac58fc914c95", &"x".repeat(64)] {
            assert_eq!(id.parse::<RequestId>().unwrap().to_string(), id);
        }
    }

    #[test]
    fn an_attribute_that_is_not_an_id_is_ignored() {
        for (attribute, id) in [
            (r#""JKJaXmPLvHcESHA=""#, Some("JKJaXmPLvHcESHA=")),
            (r#""a b""#, None),
            ("null", None),
        ] {
            let read = if_valid(&mut serde_json::Deserializer::from_str(attribute)).unwrap();
            assert_eq!(read.as_ref().map(RequestId::as_str), id, "{attribute}");
        }
    }

    #[test]
    fn an_id_that_would_garble_a_log_or_bloat_an_item_is_rejected() {
        for text in ["", " ", "a b", "a\nb", "ä", "\0", &"x".repeat(65)] {
            assert!(text.parse::<RequestId>().is_err(), "{text:?}");
        }
    }
}
