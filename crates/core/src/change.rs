//! The update of one item: by itself or as a part of a transaction.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use aws_smithy_runtime_api::client::interceptors::context::{Error, Input, Output};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};

use crate::schema::{Item, Key};
use crate::{Result, Table, Timestamp, Version, retry};

/// Collects what an update sets and what it requires, and writes the two expressions.
///
/// Every change of a versioned item counts its `version` up and sets `updatedAt`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    /// The attributes that are set, and removed, as they will be.
    written: Vec<(String, Option<AttributeValue>)>,
    set: Vec<String>,
    remove: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

/// What became of a conditional update.
pub(crate) enum Updated {
    /// The item as it is now.
    To(Item),
    /// The conditions did not hold for the item as it is, or there is none.
    Refused(Option<Item>),
}

impl Change {
    /// A change of an item that exists, at this moment.
    pub(crate) fn at(now: Timestamp) -> Self {
        let mut change = Self::default().set("updatedAt", string(now));
        change.conditions.push("attribute_exists(PK)".to_owned());
        change.add("version", 1)
    }

    /// Sets an attribute.
    pub(crate) fn set(mut self, attribute: &str, value: AttributeValue) -> Self {
        self.written.push((attribute.to_owned(), Some(value.clone())));
        let name = self.name(attribute);
        let value = self.value(attribute, value);
        self.set.push(format!("{name} = {value}"));
        self
    }

    /// Sets an attribute where there is a value for it.
    pub(crate) fn set_some(self, attribute: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(attribute, value),
            None => self,
        }
    }

    /// Removes an attribute.
    pub(crate) fn remove(mut self, attribute: &str) -> Self {
        self.written.push((attribute.to_owned(), None));
        let name = self.name(attribute);
        self.remove.push(name);
        self
    }

    /// Adds to a number.
    pub(crate) fn add(mut self, attribute: &str, amount: u64) -> Self {
        let name = self.name(attribute);
        let value = self.value(&format!("{attribute}Added"), number(amount));
        self.set.push(format!("{name} = {name} + {value}"));
        self
    }

    /// Takes from a number, which must be there and not fall below zero.
    pub(crate) fn take(mut self, attribute: &str, amount: u64) -> Self {
        let name = self.name(attribute);
        let value = self.value(&format!("{attribute}Taken"), number(amount));
        self.set.push(format!("{name} = {name} - {value}"));
        self.conditions.push(format!("{name} >= {value}"));
        self
    }

    /// Requires an attribute to have this value.
    pub(crate) fn require(mut self, attribute: &str, value: AttributeValue) -> Self {
        let name = self.name(attribute);
        let value = self.value(&format!("{attribute}Required"), value);
        self.conditions.push(format!("{name} = {value}"));
        self
    }

    /// Requires an attribute to be there.
    pub(crate) fn require_presence(mut self, attribute: &str) -> Self {
        let name = self.name(attribute);
        self.conditions.push(format!("attribute_exists({name})"));
        self
    }

    /// Requires the item's version, where the caller expects one.
    pub(crate) fn require_version(self, expected: Option<Version>) -> Self {
        match expected {
            Some(version) => self.require("version", number(version)),
            None => self,
        }
    }

    /// Updates the item by itself. A transaction that is writing it just now is waited for.
    pub(crate) async fn apply(self, table: &Table, key: Key) -> Result<Updated> {
        let tries = Tries::default();
        retry::on_contention(|| self.clone().apply_once(table, key.clone(), tries.clone())).await
    }

    async fn apply_once(self, table: &Table, key: Key, tries: Tries) -> Result<Updated> {
        let answer = table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(key.into()))
            .update_expression(self.update_expression())
            .condition_expression(self.condition_expression())
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values(Some(self.values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .interceptor(tries.clone())
            .send()
            .await;
        let error = match answer {
            Ok(answer) => return Ok(Updated::To(answer.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        let Some(UpdateItemError::ConditionalCheckFailedException(failed)) =
            error.as_service_error()
        else {
            return Err(error.into());
        };
        Ok(match failed.item.clone() {
            // A try whose answer was lost has been here before: the SDK's retry met its own write.
            // The first try can only have met another's, be it the same change in the same moment.
            Some(item) if tries.are_several() && is_in(&self.written, &item) => Updated::To(item),
            item => Updated::Refused(item),
        })
    }

    /// The update as a transaction's action, which gives the item back when a condition fails.
    pub(crate) fn into_action(self, table: &Table, key: Key) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&table.name)
            .set_key(Some(key.into()))
            .update_expression(self.update_expression())
            .condition_expression(self.condition_expression())
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values(Some(self.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn update_expression(&self) -> String {
        let mut expression = format!("SET {}", self.set.join(", "));
        if !self.remove.is_empty() {
            expression.push_str(" REMOVE ");
            expression.push_str(&self.remove.join(", "));
        }
        expression
    }

    fn condition_expression(&self) -> String {
        self.conditions.join(" AND ")
    }

    /// A placeholder for the name: many of ours (`name`, `status`, …) are reserved words.
    fn name(&mut self, attribute: &str) -> String {
        let placeholder = format!("#{attribute}");
        self.names.insert(placeholder.clone(), attribute.to_owned());
        placeholder
    }

    fn value(&mut self, placeholder: &str, value: AttributeValue) -> String {
        let placeholder = format!(":{placeholder}");
        self.values.insert(placeholder.clone(), value);
        placeholder
    }
}

/// Counts how often a request is sent.
#[derive(Clone, Debug, Default)]
struct Tries(Arc<AtomicU32>);

impl Tries {
    fn are_several(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}

#[dyn_dispatch_hint]
impl Intercept for Tries {
    fn name(&self) -> &'static str {
        "Tries"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_, Input, Output, Error>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Whether an item is what this change, `updatedAt` included, made of it.
fn is_in(written: &[(String, Option<AttributeValue>)], item: &Item) -> bool {
    written.iter().all(|(attribute, value)| item.get(attribute) == value.as_ref())
}

/// A string attribute.
#[allow(clippy::needless_pass_by_value, reason = "callers pass what they have just made")]
pub(crate) fn string(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// A number attribute.
#[allow(clippy::needless_pass_by_value, reason = "callers pass what they have just made")]
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
