use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::template::Template;

pub(crate) const TABLE: &str = "AWS::DynamoDB::Table";

/// Properties that `CreateTable` has in the same shape. Backups and encryption at rest change
/// nothing that a program sees, so they are left to the deployment.
const SAME_IN_THE_API: [&str; 4] =
    ["AttributeDefinitions", "KeySchema", "BillingMode", "ProvisionedThroughput"];
const SAME_IN_AN_INDEX: [&str; 4] =
    ["IndexName", "KeySchema", "Projection", "ProvisionedThroughput"];

/// A table as DynamoDB's API takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct TableDefinition {
    create_table: Map<String, Value>,
    time_to_live: Option<String>,
}

impl TableDefinition {
    /// The JSON of a `CreateTable` request for a table of this name.
    #[must_use]
    pub fn create_table(&self, table_name: &str) -> Value {
        let mut request = self.create_table.clone();
        request.insert("TableName".to_owned(), table_name.into());
        Value::Object(request)
    }

    /// The attribute whose time removes an item.
    #[must_use]
    pub fn time_to_live(&self) -> Option<&str> {
        self.time_to_live.as_deref()
    }
}

impl Template {
    /// The one table of the template.
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
        // A parameter's default is a text, which the API would refuse.
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
