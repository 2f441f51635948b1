//! The update of one item, as an action of a transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};

use crate::schema::Key;
use crate::{Result, Table, Timestamp, Version};

/// Collects what an update sets and what it requires, and writes the two expressions.
///
/// Every visible change of a versioned item increments its `version` and sets `updatedAt`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    set: Vec<String>,
    remove: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    /// Starts a change of an existing item, at this time.
    pub(crate) fn at(now: Timestamp) -> Self {
        Self::unseen().set("updatedAt", string(now)).add("version", 1)
    }

    /// Starts a change of an existing item that makes no new version by itself: nobody can see it, or it
    /// sets all attributes, the version among them.
    pub(crate) fn unseen() -> Self {
        Self { conditions: vec!["attribute_exists(PK)".to_owned()], ..Self::default() }
    }

    /// Sets an attribute.
    pub(crate) fn set(mut self, attribute: &str, value: AttributeValue) -> Self {
        let name = self.name(attribute);
        let value = self.value(attribute, value);
        self.set.push(format!("{name} = {value}"));
        self
    }

    /// Sets an attribute if there is a value for it.
    pub(crate) fn set_some(self, attribute: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(attribute, value),
            None => self,
        }
    }

    /// Removes an attribute.
    pub(crate) fn remove(mut self, attribute: &str) -> Self {
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

    /// Adds one to a number, which is 0 if it is absent.
    pub(crate) fn count(mut self, attribute: &str) -> Self {
        let name = self.name(attribute);
        let (zero, one) = (self.value("zero", number(0)), self.value("one", number(1)));
        self.set.push(format!("{name} = if_not_exists({name}, {zero}) + {one}"));
        self
    }

    /// Subtracts from a number, which must exist and must not fall below zero.
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

    /// Requires an attribute to be as it was seen.
    pub(crate) fn require_seen(self, attribute: &str, seen: Option<AttributeValue>) -> Self {
        match seen {
            Some(value) => self.require(attribute, value),
            None => self.require_absent(attribute),
        }
    }

    /// Requires an attribute to be a number. `NULL` is not one, and counts as absent.
    pub(crate) fn require_number(mut self, attribute: &str) -> Self {
        let name = self.name(attribute);
        let number = self.value("number", string("N"));
        self.conditions.push(format!("attribute_type({name}, {number})"));
        self
    }

    /// Requires an attribute to be absent. `NULL` counts as absent: document clients in JavaScript
    /// write it for an absent value.
    pub(crate) fn require_absent(mut self, attribute: &str) -> Self {
        let name = self.name(attribute);
        let null = self.value("null", AttributeValue::Null(true));
        self.conditions.push(format!("(attribute_not_exists({name}) OR {name} = {null})"));
        self
    }

    /// Requires the item's version, if the caller expects one.
    pub(crate) fn require_version(self, expected: Option<Version>) -> Self {
        match expected {
            Some(version) => self.require("version", number(version)),
            None => self,
        }
    }

    /// Returns the update as a transaction's action, or a check if it changes nothing. The action
    /// returns the item if a condition fails.
    pub(crate) fn into_action(self, table: &Table, key: Key) -> Result<TransactWriteItem> {
        if self.set.is_empty() && self.remove.is_empty() {
            return self.into_check(table, key);
        }
        let update = Update::builder()
            .table_name(&table.name)
            .set_key(Some(key.into()))
            .update_expression(self.update_expression())
            .condition_expression(self.condition_expression())
            .set_expression_attribute_names((!self.names.is_empty()).then_some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    fn into_check(self, table: &Table, key: Key) -> Result<TransactWriteItem> {
        let check = ConditionCheck::builder()
            .table_name(&table.name)
            .set_key(Some(key.into()))
            .condition_expression(self.condition_expression())
            .set_expression_attribute_names((!self.names.is_empty()).then_some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Returns the deletion of an item that is as required, if anything is. The action returns the item
    /// if it is not.
    pub(crate) fn into_delete(self, table: &Table, key: Key) -> Result<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&table.name)
            .set_key(Some(key.into()))
            .set_condition_expression(
                (!self.conditions.is_empty()).then(|| self.condition_expression()),
            )
            .set_expression_attribute_names((!self.names.is_empty()).then_some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn update_expression(&self) -> String {
        [("SET", &self.set), ("REMOVE", &self.remove)]
            .into_iter()
            .filter(|(_, changes)| !changes.is_empty())
            .map(|(clause, changes)| format!("{clause} {}", changes.join(", ")))
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn condition_expression(&self) -> String {
        self.conditions.join(" AND ")
    }

    /// Adds a placeholder for the name: many of ours (`name`, `status`, …) are reserved words.
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

/// Creates a string attribute.
#[allow(clippy::needless_pass_by_value, reason = "callers pass what they have just made")]
pub(crate) fn string(value: impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// Creates a number attribute.
#[allow(clippy::needless_pass_by_value, reason = "callers pass what they have just made")]
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Creates a Boolean attribute.
pub(crate) fn boolean(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}
