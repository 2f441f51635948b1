//! Whether the table has the index that orders are put into.

use aws_sdk_dynamodb::types::{IndexStatus, KeyType, TableDescription};
use storefront_core::schema::{GSI2, GSI2PK, GSI2SK};

use crate::error::Error;

/// Returns an error that says what to do, unless the table has `GSI2` with its keys and it can be used.
/// Keys could be written before there is an index; but then nobody would see that it is missing.
pub(super) fn expect(table: &str, described: Option<&TableDescription>) -> Result<(), Error> {
    let unusable = |why: String| Err(Error::Index { table: table.to_owned(), why });
    let indexes = described.map(TableDescription::global_secondary_indexes).unwrap_or_default();
    let Some(index) = indexes.iter().find(|index| index.index_name() == Some(GSI2)) else {
        return unusable(format!("has no index {GSI2}: add it"));
    };
    let keys: Vec<_> = index
        .key_schema()
        .iter()
        .map(|key| (key.attribute_name(), key.key_type().clone()))
        .collect();
    if keys != [(GSI2PK, KeyType::Hash), (GSI2SK, KeyType::Range)] {
        return unusable(format!(
            "has an index {GSI2} with other keys than {GSI2PK} and {GSI2SK}: delete it, and add the right \
             one"
        ));
    }
    match index.index_status() {
        Some(IndexStatus::Active) => Ok(()),
        status => unusable(format!(
            "has the index {GSI2}, but it cannot be used yet ({}): wait until it is ACTIVE",
            status.map_or("no status", IndexStatus::as_str)
        )),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::{GlobalSecondaryIndexDescription, KeySchemaElement};

    use super::*;

    fn table(keys: [(&str, KeyType); 2], status: IndexStatus) -> TableDescription {
        let keys = keys.map(|(name, kind)| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        });
        let index = GlobalSecondaryIndexDescription::builder()
            .index_name(GSI2)
            .set_key_schema(Some(keys.into()))
            .index_status(status)
            .build();
        TableDescription::builder().global_secondary_indexes(index).build()
    }

    #[test]
    fn only_an_active_index_with_its_keys_will_do() {
        let right = [(GSI2PK, KeyType::Hash), (GSI2SK, KeyType::Range)];
        let other = [(GSI2SK, KeyType::Hash), (GSI2PK, KeyType::Range)];
        assert!(expect("shop", Some(&table(right.clone(), IndexStatus::Active))).is_ok());
        for (described, why) in [
            (table(right, IndexStatus::Creating), "(CREATING): wait until it is ACTIVE"),
            (table(other, IndexStatus::Active), "with other keys than GSI2PK and GSI2SK"),
            (TableDescription::builder().build(), "has no index GSI2: add it"),
        ] {
            let error = expect("shop", Some(&described)).unwrap_err().to_string();
            assert!(error.contains(why) && error.contains("#add-the-index-gsi2"), "{error}");
        }
    }
}
