use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::schema::{self, GSI1, Item, ItemType, Key};
use crate::{Error, Result, UserId, retry};

/// The table, and the client for it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Table {
    /// The table with this name, for a client of [`crate::aws::dynamodb`].
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Sends one request during init, so that the first invocation finds an open connection and an
    /// initialised client.
    ///
    /// It reads a random, non-existent user id: everything that uses the table may read users.
    pub async fn connect(&self) -> Result<()> {
        let missing = Key::user(UserId::new());
        self.get::<IgnoredAny>(ItemType::User, missing, Consistency::Eventual).await?;
        Ok(())
    }

    /// Finds one item. Reports it as missing only after a strongly consistent read, because it may
    /// just have been written.
    pub(crate) async fn find<T: DeserializeOwned>(
        &self,
        kind: ItemType,
        key: Key,
    ) -> Result<Option<T>> {
        match self.get(kind, key.clone(), Consistency::Eventual).await? {
            Some(found) => Ok(Some(found)),
            None => self.get(kind, key, Consistency::Strong).await,
        }
    }

    /// Reads one item.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        kind: ItemType,
        key: Key,
        read: Consistency,
    ) -> Result<Option<T>> {
        let item = self.get_item(key, read).await?;
        item.map(|item| schema::entity(kind, item)).transpose()
    }

    /// Reads one item of any type.
    pub(crate) async fn get_item(&self, key: Key, read: Consistency) -> Result<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.into()))
            .consistent_read(read == Consistency::Strong)
            .send()
            .await?;
        Ok(answer.item)
    }

    /// Reads these attributes and `_type` of one item, with strong consistency.
    pub(crate) async fn get_attributes<T: DeserializeOwned>(
        &self,
        kind: ItemType,
        key: Key,
        attributes: &[&str],
    ) -> Result<Option<T>> {
        let Projection { expression, names } = Projection::of(attributes);
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.into()))
            .projection_expression(expression)
            .set_expression_attribute_names(Some(names))
            .consistent_read(true)
            .send()
            .await?;
        answer.item.map(|item| schema::entity(kind, item)).transpose()
    }

    /// Finds the only item in this partition of the index.
    pub(crate) async fn find_in_index<T: DeserializeOwned>(
        &self,
        kind: ItemType,
        partition: String,
    ) -> Result<Option<T>> {
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(GSI1)
            .key_condition_expression("GSI1PK = :partition")
            .expression_attribute_values(":partition", AttributeValue::S(partition))
            .limit(1)
            .send()
            .await?;
        let item = answer.items.and_then(|items| items.into_iter().next());
        item.map(|item| schema::entity(kind, item)).transpose()
    }

    /// Reads these attributes and `_type` of up to 100 items in a batch, in no particular order.
    /// Retries what DynamoDB left unprocessed.
    pub(crate) async fn batch_get(
        &self,
        mut keys: Vec<Item>,
        attributes: &[&str],
        read: Consistency,
    ) -> Result<Vec<Item>> {
        let Projection { expression, names } = Projection::of(attributes);
        let mut items = Vec::with_capacity(keys.len());
        let mut pauses = retry::pauses();
        loop {
            let request = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .projection_expression(&expression)
                .set_expression_attribute_names(Some(names.clone()))
                .consistent_read(read == Consistency::Strong)
                .build()?;
            let answer =
                self.client.batch_get_item().request_items(&self.name, request).send().await?;
            items.extend(answer.responses.unwrap_or_default().into_values().flatten());
            let unprocessed = answer.unprocessed_keys.and_then(|mut keys| keys.remove(&self.name));
            match unprocessed {
                Some(unprocessed) if !unprocessed.keys.is_empty() => keys = unprocessed.keys,
                _ => return Ok(items),
            }
            let pause = pauses.next().ok_or_else(|| {
                Error::Unavailable("items of a batch stayed unprocessed through all tries".into())
            })?;
            tokio::time::sleep(pause).await;
        }
    }

    /// Builds a put that must not replace an item; the failed condition returns the existing one.
    pub(crate) fn put_new(&self, item: Item) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// The attributes that a read returns.
struct Projection {
    expression: String,
    names: HashMap<String, String>,
}

impl Projection {
    /// These and `_type`, as placeholders: many of our names (`name`, `role`) are reserved words.
    fn of(attributes: &[&str]) -> Self {
        let attributes = attributes.iter().chain(&[schema::TYPE]);
        let names: HashMap<_, _> =
            attributes.map(|name| (format!("#{name}"), (*name).to_owned())).collect();
        let placeholders: Vec<_> = names.keys().map(String::as_str).collect();
        Self { expression: placeholders.join(", "), names }
    }
}

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consistency {
    /// May lag a write by a moment, at half the price.
    Eventual,
    /// Sees every write acknowledged before it.
    Strong,
}
