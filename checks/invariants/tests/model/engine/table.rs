//! The whole table as texts, to compare the shop's with the model's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::entities::login_failures::Account;

/// Items by partition key and sort key.
pub(crate) type TableItems = BTreeMap<(String, String), Attributes>;

/// An item's attributes by name. A number is its text, a set is the number of its elements, a map
/// is what [`map_text`] makes of it.
pub(crate) type Attributes = BTreeMap<String, String>;

/// The value of an attribute that must be there, with a value that the model cannot predict.
pub(crate) const ANY_VALUE: &str = "…";

const UNPREDICTABLE: [&str; 6] =
    ["updatedAt", "passwordHash", "refreshedAt", "requestHash", "expiresAt", "requestId"];

/// How many differing items a message shows.
const MAX_SHOWN: usize = 6;

/// An item of DynamoDB's in this form.
pub(crate) fn table_item(
    item: impl IntoIterator<Item = (String, AttributeValue)>,
) -> ((String, String), Attributes) {
    let attributes: Attributes = item
        .into_iter()
        .map(|(name, value)| {
            let value = match value {
                _ if UNPREDICTABLE.contains(&&*name) => ANY_VALUE.to_owned(),
                AttributeValue::S(text) | AttributeValue::N(text) => text,
                AttributeValue::Ss(set) => set.len().to_string(),
                AttributeValue::Bool(value) => value.to_string(),
                AttributeValue::M(map) => serde_dynamo::from_item(map)
                    .map(|map: BTreeMap<String, String>| map_text(&map))
                    .expect("a map of texts"),
                other => panic!("{name} is of no known type: {other:?}"),
            };
            (name, value)
        })
        .collect();
    ((attributes["PK"].clone(), attributes["SK"].clone()), attributes)
}

/// A map of texts in this form.
pub(crate) fn map_text(map: &BTreeMap<String, String>) -> String {
    format!("{map:?}")
}

/// The item that the model expects.
pub(crate) fn expected_item(
    item_type: &str,
    pk: &str,
    sk: &str,
    attributes: &[(&str, &str)],
) -> ((String, String), Attributes) {
    let keys = [("_type", item_type), ("PK", pk), ("SK", sk)];
    let attributes = keys.iter().chain(attributes);
    let attributes =
        attributes.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    ((pk.to_owned(), sk.to_owned()), attributes)
}

/// Separates the items about failed log-ins, which the model knows only within bounds. Returns the other items,
/// and the count of each account.
pub(crate) fn without_login_attempts(table: &TableItems) -> (TableItems, BTreeMap<Account, u32>) {
    let mut others = TableItems::new();
    let mut failures = BTreeMap::new();
    for (key, attributes) in table {
        match attributes["_type"].as_str() {
            "LoginAttempts" => {
                let email = key.0.trim_start_matches("EMAIL#").to_owned();
                let version = key.1.split('#').nth(1).and_then(|version| version.parse().ok());
                let count = attributes.get("attempts").and_then(|count| count.parse().ok());
                let account = (email, version.expect("a version of the password"));
                *failures.entry(account).or_default() += count.unwrap_or(0_u32);
            }
            "EmailAttempts" | "SourceAttempts" | "KnownSource" => {}
            _ => {
                others.insert(key.clone(), attributes.clone());
            }
        }
    }
    (others, failures)
}

/// Says how the tables differ; empty if they do not.
pub(crate) fn differences(model: &TableItems, table: &TableItems) -> String {
    let keys: BTreeSet<_> = model.keys().chain(table.keys()).collect();
    let mut text = String::new();
    for key in keys.into_iter().filter(|key| model.get(key) != table.get(key)).take(MAX_SHOWN) {
        let name = format!("{} {}", key.0, key.1);
        let (Some(expected), Some(found)) = (model.get(key), table.get(key)) else {
            let what = if model.contains_key(key) { "is missing" } else { "should not exist" };
            let _ = write!(text, "\n      {name} {what}");
            continue;
        };
        let attributes: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        for attribute in attributes {
            let (expected, found) = (expected.get(attribute), found.get(attribute));
            if expected != found {
                let _ = write!(
                    text,
                    "\n      {name}: {attribute} is {found:?} in the table, {expected:?} in the model"
                );
            }
        }
    }
    text
}
