//! A value in the template that knows its path, for error messages.

use std::path::Path;

use serde_json::Value;

use crate::error::Error;
use crate::intrinsics::logical_id;

#[derive(Clone)]
pub(crate) struct Node<'a> {
    file: &'a Path,
    property: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    pub(crate) fn root(file: &'a Path, value: &'a Value) -> Self {
        Self { file, property: String::new(), value }
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// Returns a member. A missing one is null, and any attempt to read it as another type fails.
    pub(crate) fn member(&self, name: &str) -> Node<'a> {
        let property = match self.property.as_str() {
            "" => name.to_owned(),
            parent => format!("{parent}.{name}"),
        };
        Node { file: self.file, property, value: &self.value[name] }
    }

    pub(crate) fn optional(&self, name: &str) -> Option<Node<'a>> {
        Some(self.member(name)).filter(|node| !node.value.is_null())
    }

    pub(crate) fn members(&self) -> Result<Vec<(&'a str, Node<'a>)>, Error> {
        let members = self.value.as_object().ok_or_else(|| self.unexpected("a mapping"))?;
        Ok(members.keys().map(|name| (name.as_str(), self.member(name))).collect())
    }

    pub(crate) fn items(&self) -> Result<Vec<Node<'a>>, Error> {
        let items = self.value.as_array().ok_or_else(|| self.unexpected("a list"))?;
        let node = |(index, value)| Node {
            file: self.file,
            property: format!("{}[{index}]", self.property),
            value,
        };
        Ok(items.iter().enumerate().map(node).collect())
    }

    pub(crate) fn text(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.unexpected("a string"))
    }

    pub(crate) fn texts(&self) -> Result<Vec<String>, Error> {
        self.items()?.iter().map(|item| item.text().map(str::to_owned)).collect()
    }

    /// Reads a whole number, even if it is quoted, as parameters' defaults often are.
    pub(crate) fn number(&self) -> Result<i64, Error> {
        let number = match self.value {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        };
        number.ok_or_else(|| self.unexpected("a whole number"))
    }

    pub(crate) fn flag(&self) -> Result<bool, Error> {
        match self.value {
            Value::Bool(flag) => Ok(*flag),
            Value::String(text) if text == "true" => Ok(true),
            Value::String(text) if text == "false" => Ok(false),
            _ => Err(self.unexpected("true or false")),
        }
    }

    /// Returns the logical id of the resource that this refers to.
    pub(crate) fn resource(&self) -> Result<String, Error> {
        logical_id(self.value)
            .map(str::to_owned)
            .ok_or_else(|| self.unexpected("!Ref, !GetAtt or !Sub of one resource"))
    }

    pub(crate) fn unexpected(&self, expected: impl Into<String>) -> Error {
        let found = match self.value {
            Value::Null => "nothing".to_owned(),
            value => {
                let text = value.to_string();
                match text.char_indices().nth(80) {
                    Some((end, _)) => format!("{}…", &text[..end]),
                    None => text,
                }
            }
        };
        Error::Property {
            path: self.file.to_owned(),
            property: if self.property.is_empty() {
                "the template".into()
            } else {
                self.property.clone()
            },
            expected: expected.into(),
            found,
        }
    }
}
