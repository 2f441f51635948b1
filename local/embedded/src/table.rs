//! Creates the table, or checks that the existing one matches.

use dynoxide::Database;
use serde_json::{Value, json};
use storefront_template::TableDefinition;

use crate::error::Error;

/// Properties that cannot change once there are items, or whose difference would go unnoticed.
const COMPARED: [&str; 5] = [
    "KeySchema",
    "AttributeDefinitions",
    "GlobalSecondaryIndexes",
    "LocalSecondaryIndexes",
    "StreamSpecification",
];

pub(crate) fn ensure(
    database: &Database,
    definition: &TableDefinition,
    table_name: &str,
) -> Result<(), Error> {
    let wanted = definition.create_table(table_name);
    if database.get_table_metadata(table_name)?.is_some() {
        return compare(database, &wanted, table_name);
    }
    database.create_table(serde_json::from_value(wanted)?)?;
    if let Some(attribute) = definition.time_to_live() {
        database.update_time_to_live(serde_json::from_value(json!({
            "TableName": table_name,
            "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true },
        }))?)?;
    }
    Ok(())
}

fn compare(database: &Database, wanted: &Value, table_name: &str) -> Result<(), Error> {
    let described =
        database.describe_table(serde_json::from_value(json!({ "TableName": table_name }))?)?;
    let actual = serde_json::to_value(&described.table)?;
    for property in COMPARED {
        if !covers(&actual[property], &wanted[property]) {
            return Err(Error::TableDiffers {
                table_name: table_name.to_owned(),
                property,
                actual: actual[property].to_string(),
                expected: wanted[property].to_string(),
            });
        }
    }
    Ok(())
}

/// Returns whether a description contains everything in a request. It may contain more, and the
/// order in lists does not matter.
fn covers(actual: &Value, wanted: &Value) -> bool {
    match (actual, wanted) {
        (Value::Object(actual), Value::Object(wanted)) => wanted
            .iter()
            .all(|(name, value)| covers(actual.get(name).unwrap_or(&Value::Null), value)),
        (Value::Array(actual), Value::Array(wanted)) => {
            actual.len() == wanted.len()
                && wanted.iter().all(|value| actual.iter().any(|actual| covers(actual, value)))
        }
        (Value::Array(actual), Value::Null) => actual.is_empty(),
        (actual, wanted) => actual == wanted,
    }
}
