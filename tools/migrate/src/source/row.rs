use std::fmt;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap as _, Serializer};

use super::Value;
use crate::Entity;

/// A row of a SELECT.
#[derive(Clone)]
pub struct Row {
    columns: Arc<Columns>,
    values: Vec<Value>,
}

/// The columns of a SELECT.
#[derive(Debug)]
pub struct Columns {
    entity: Entity,
    columns: Vec<Column>,
}

/// A column of a SELECT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the source.
    pub name: String,
    /// The attribute that it holds.
    pub attribute: &'static str,
    /// The database's name of its type.
    pub kind: String,
}

impl Columns {
    /// Finds the attribute of each column. Fails with everything that does not fit.
    ///
    /// Capitals and underscores are ignored: `created_at` is `createdAt`, and so is what PostgreSQL
    /// makes of an alias without quotes.
    pub(crate) fn of(
        entity: Entity,
        found: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<String>> {
        let section = entity.section();
        let mut columns: Vec<Column> = Vec::new();
        let mut problems = Vec::new();
        for (name, kind) in found {
            let attribute = entity
                .attributes()
                .iter()
                .find(|attribute| folded(attribute.name) == folded(&name));
            let Some(attribute) = attribute else {
                problems.push(format!(
                    "[{section}] has the column {name}, which is not one of: {}",
                    known(entity)
                ));
                continue;
            };
            let attribute = attribute.name;
            if let Some(other) = columns.iter().find(|column| column.attribute == attribute) {
                problems.push(format!(
                    "[{section}] has {attribute} twice, as {} and as {name}",
                    other.name
                ));
                continue;
            }
            columns.push(Column { name, attribute, kind });
        }
        for attribute in entity.attributes().iter().filter(|attribute| !attribute.optional) {
            if !columns.iter().any(|column| column.attribute == attribute.name) {
                problems.push(format!("[{section}] has no column {}", attribute.name));
            }
        }
        if problems.is_empty() { Ok(Self { entity, columns }) } else { Err(problems) }
    }

    /// Returns the columns in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the column of an attribute.
    #[must_use]
    pub fn find(&self, attribute: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.attribute == attribute)
    }
}

fn folded(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

fn known(entity: Entity) -> String {
    let names: Vec<_> = entity.attributes().iter().map(|attribute| attribute.name).collect();
    names.join(", ")
}

impl Row {
    pub(crate) fn new(columns: Arc<Columns>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// Returns the entity of the row.
    #[must_use]
    pub fn entity(&self) -> Entity {
        self.columns.entity
    }

    /// Returns the value of an attribute, if the SELECT has it.
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&Value> {
        let at = self.columns.columns.iter().position(|column| column.attribute == attribute)?;
        self.values.get(at)
    }

    /// Returns the name of an attribute in the source.
    #[must_use]
    pub fn column<'r>(&'r self, attribute: &'r str) -> &'r str {
        self.columns.find(attribute).map_or(attribute, |column| &column.name)
    }
}

/// Rows are personal data. They are shown only on request, which excludes a log.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({}, …)", self.entity())
    }
}

/// Uses the source's column names, and hides passwords.
impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len()))?;
        for (column, value) in self.columns.columns.iter().zip(&self.values) {
            match column.attribute {
                "passwordHash" => map.serialize_entry(&column.name, "…")?,
                _ => map.serialize_entry(&column.name, value)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ITEM: [&str; 5] = ["order_id", "PRODUCTID", "name", "quantity", "price"];

    fn columns(names: &[&str]) -> Result<Columns, Vec<String>> {
        let found = names.iter().map(|name| ((*name).to_owned(), "TEXT".to_owned()));
        Columns::of(Entity::OrderItem, found)
    }

    #[test]
    fn capitals_and_underscores_are_ignored() {
        let columns = columns(&ITEM).unwrap();
        assert_eq!(columns.find("orderId").unwrap().name, "order_id");
        assert_eq!(columns.find("productId").unwrap().name, "PRODUCTID");
        assert_eq!(columns.find("currency"), None);
    }

    #[test]
    fn unknown_missing_and_duplicate_columns_are_named() {
        let names = ["orderId", "order_id", "name", "quantity", "price", "colour"];
        assert_eq!(
            columns(&names).unwrap_err(),
            [
                "[order_items] has orderId twice, as orderId and as order_id",
                "[order_items] has the column colour, which is not one of: orderId, productId, \
                 name, quantity, price, currency, updatedAt",
                "[order_items] has no column productId",
            ]
        );
    }

    #[test]
    fn a_row_shows_no_password() {
        let found = ["id", "email", "name", "password_hash", "created_at"]
            .map(|name| (name.to_owned(), String::new()));
        let columns = Columns::of(Entity::User, found).unwrap();
        let values = ["17", "anna@example.com", "Anna", "secret", "2026-11-22"];
        let values = values.map(|text| Value::Text(text.to_owned())).to_vec();
        let json = serde_json::to_string(&Row::new(Arc::new(columns), values)).unwrap();
        assert!(json.contains(r#""password_hash":"…""#), "{json}");
        assert!(!json.contains("secret"), "{json}");
    }
}
