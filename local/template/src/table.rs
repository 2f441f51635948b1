use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::template::Template;

pub(crate) const TABLE: &str = "AWS::DynamoDB::Table";

/// Properties with the same shape in `CreateTable`. Backups and encryption at rest are left to the
/// deployment, because programs do not notice them.
const SAME_IN_THE_API: [&str; 4] =
    ["AttributeDefinitions", "KeySchema", "BillingMode", "ProvisionedThroughput"];
const SAME_IN_AN_INDEX: [&str; 4] =
    ["IndexName", "KeySchema", "Projection", "ProvisionedThroughput"];

/// A table, as DynamoDB's API expects it.
#[derive(Debug, Clone, PartialEq)]
pub struct TableDefinition {
    create_table: Map<String, Value>,
    time_to_live: Option<String>,
}

impl TableDefinition {
    /// Returns the JSON of a `CreateTable` request for a table with this name.
    #[must_use]
    pub fn create_table(&self, table_name: &str) -> Value {
        let mut request = self.create_table.clone();
        request.insert("TableName".to_owned(), table_name.into());
        Value::Object(request)
    }

    /// Returns the attribute with the time at which an item expires.
    #[must_use]
    pub fn time_to_live(&self) -> Option<&str> {
        self.time_to_live.as_deref()
    }
}

impl Template {
    /// Returns the template's only table.
    pub fn table(&self) -> Result<TableDefinition, Error> {
        let (_, resource) = self.the_resource(TABLE)?;
        let properties = resource.member("Properties");
        for required in ["AttributeDefinitions", "KeySchema"] {
            properties.member(required).items()?;
        }
        let mut create_table = pick(properties.value(), &SAME_IN_THE_API);
        for indexes in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            if let Some(node) = properties.optional(indexes) {
                let picked = node.items()?.into_iter();
                let picked =
                    picked.map(|index| Value::Object(pick(index.value(), &SAME_IN_AN_INDEX)));
                create_table.insert(indexes.to_owned(), picked.collect::<Value>());
            }
        }
        // A parameter's default is a string, which the API would reject.
        if let Some(protection) = properties.optional("DeletionProtectionEnabled") {
            create_table.insert("DeletionProtectionEnabled".to_owned(), protection.flag()?.into());
        }
        if let Some(stream) = properties.optional("StreamSpecification") {
            let view = stream.member("StreamViewType").text()?;
            create_table.insert(
                "StreamSpecification".to_owned(),
                json!({ "StreamEnabled": true, "StreamViewType": view }),
            );
        }
        let time_to_live = match properties.optional("TimeToLiveSpecification") {
            Some(ttl) if ttl.member("Enabled").flag()? => {
                Some(ttl.member("AttributeName").text()?.to_owned())
            }
            _ => None,
        };
        Ok(TableDefinition { create_table, time_to_live })
    }
}

fn pick(value: &Value, names: &[&str]) -> Map<String, Value> {
    let member = |name: &&str| Some(((*name).to_owned(), value.get(name)?.clone()));
    names.iter().filter_map(member).collect()
}
