//! The requests to DynamoDB, identical to those of `storefront-core`.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::Error;

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) struct Table {
    client: Client,
    name: String,
}

impl Table {
    pub(crate) fn new(client: Client, name: String) -> Self {
        Self { client, name }
    }

    pub(crate) async fn get(&self, partition: String) -> Result<Item, Error> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(false);
        let answer = request.key("PK", text(partition)).key("SK", text("METADATA")).send().await?;
        answer.item.ok_or_else(|| "no such item".into())
    }

    /// Reads a product and its stock item.
    pub(crate) async fn product(&self, partition: String) -> Result<[Item; 2], Error> {
        let request = self.client.query().table_name(&self.name).consistent_read(false);
        let answer = request
            .key_condition_expression("PK = :product AND begins_with(SK, :metadata)")
            .expression_attribute_values(":product", text(partition))
            .expression_attribute_values(":metadata", text("METADATA"))
            .send()
            .await?;
        let items = answer.items.unwrap_or_default();
        items.try_into().map_err(|_| "no such product, or without stock".into())
    }

    pub(crate) async fn role_of(&self, partition: String) -> Result<(), Error> {
        let request = self.client.get_item().table_name(&self.name).consistent_read(true);
        let request = request.projection_expression("#0, #1");
        let request = request.expression_attribute_names("#0", "role");
        let request = request.expression_attribute_names("#1", "_type");
        let answer = request.key("PK", text(partition)).key("SK", text("METADATA")).send().await?;
        answer.item.map(drop).ok_or_else(|| "no such user".into())
    }

    pub(crate) async fn find(&self, partition: String) -> Result<Item, Error> {
        let request = self.client.query().table_name(&self.name).index_name("GSI1").limit(1);
        let answer = request
            .key_condition_expression("GSI1PK = :partition")
            .expression_attribute_values(":partition", text(partition))
            .send()
            .await?;
        answer.items.and_then(|mut items| items.pop()).ok_or_else(|| "no such item".into())
    }

    /// Reads a page of orders; returns the key of the last one as well if there are more.
    pub(crate) async fn newest_orders(
        &self,
        partition: String,
    ) -> Result<(Vec<Item>, Option<String>), Error> {
        let request = self.client.query().table_name(&self.name).limit(25);
        let answer = request
            .key_condition_expression("PK = :partition AND begins_with(SK, :prefix)")
            .expression_attribute_values(":partition", text(partition))
            .expression_attribute_values(":prefix", text("ORDER#"))
            .scan_index_forward(false)
            .send()
            .await?;
        let last = answer.last_evaluated_key.and_then(|mut key| key.remove("SK"));
        let last = last.and_then(|key| key.as_s().ok().map(|key| key[key.len() - 22..].to_owned()));
        Ok((answer.items.unwrap_or_default(), last))
    }
}

fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
