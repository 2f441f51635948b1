use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Input, Output};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use storefront_core::{Role, Table, aws, schema};

use crate::{Persona, TestTable, test_table};

/// A `DynamoDB` with an empty table. It stops when dropped.
pub struct Database {
    table: TestTable,
}

impl Database {
    /// Starts a database with the table of `template.yaml`.
    pub async fn start() -> Self {
        Self { table: test_table().await }
    }

    /// Returns the table, with its own client.
    #[must_use]
    pub fn table(&self) -> Table {
        table(self.table.endpoint_url().to_owned(), self.table.table_name())
    }

    /// Reads every item of the table, for tests that check what the repositories wrote.
    pub async fn items(&self) -> Vec<schema::Item> {
        let pages = self
            .client()
            .scan()
            .table_name(self.table.table_name())
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        pages.collect::<Result<_, _>>().await.expect("the embedded DynamoDB answers")
    }

    /// Puts an item as it is, for tests of items that no repository writes.
    pub async fn put(&self, item: schema::Item) {
        let put = self.client().put_item().table_name(self.table.table_name());
        put.set_item(Some(item)).send().await.expect("the embedded DynamoDB answers");
    }

    fn client(&self) -> aws_sdk_dynamodb::Client {
        let endpoint_url = Some(self.table.endpoint_url().to_owned());
        aws::dynamodb(&aws::patient_emulator_config(), endpoint_url)
    }

    /// Adds a customer to the table.
    pub async fn customer(&self) -> Persona {
        Persona::registered(&self.table(), Role::User).await
    }

    /// Adds a member of staff to the table.
    pub async fn staff(&self) -> Persona {
        Persona::registered(&self.table(), Role::Staff).await
    }

    /// Adds an administrator to the table.
    pub async fn admin(&self) -> Persona {
        Persona::registered(&self.table(), Role::Admin).await
    }

    /// Returns the table, but with an index that has not received any write yet.
    #[must_use]
    pub fn table_with_late_index(&self) -> Table {
        let config = self.client().config().to_builder().interceptor(LateIndex).build();
        Table::new(aws_sdk_dynamodb::Client::from_conf(config), self.table.table_name())
    }
}

/// Makes queries of an index look for partitions that do not exist.
#[derive(Debug)]
struct LateIndex;

#[dyn_dispatch_hint]
impl Intercept for LateIndex {
    fn name(&self) -> &'static str {
        "LateIndex"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_, Input, Output, Error>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let query = context.input_mut().downcast_mut::<QueryInput>();
        if let Some(query) = query.filter(|query| query.index_name.is_some()) {
            for value in query.expression_attribute_values.iter_mut().flat_map(|v| v.values_mut()) {
                if let AttributeValue::S(partition) = value {
                    partition.push_str("#later");
                }
            }
        }
        Ok(())
    }
}

/// Returns a table of a `DynamoDB` that refuses connections.
#[must_use]
pub fn unreachable_table() -> Table {
    // Port 1 (tcpmux) is privileged, and nothing has served it for decades.
    table("http://127.0.0.1:1".to_owned(), "storefront")
}

fn table(endpoint_url: String, name: &str) -> Table {
    Table::new(aws::dynamodb(&aws::patient_emulator_config(), Some(endpoint_url)), name)
}
