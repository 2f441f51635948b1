//! JSON objects, parsed one member at a time.
//!
//! Only the members of a stream record that are needed are parsed. So an attribute of an unknown
//! type does no harm elsewhere, and neither does a number too large for any integer. A missing
//! member and a malformed one are both `None`.

use std::collections::HashMap;
#[cfg(feature = "publish")]
use std::str::FromStr;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A JSON object whose members are not parsed yet.
pub(crate) struct Object<'a>(HashMap<String, &'a RawValue>);

impl<'a> Object<'a> {
    pub(crate) fn parse(json: &'a RawValue) -> Option<Self> {
        serde_json::from_str(json.get()).ok().map(Self)
    }

    /// A member that is an object.
    pub(crate) fn object(&self, name: &str) -> Option<Object<'a>> {
        Object::parse(self.0.get(name)?)
    }

    /// A member of any type that can be read from its JSON.
    pub(crate) fn get<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    /// Whether there is a DynamoDB attribute with this name that is not `NULL`, whatever its type.
    #[cfg(feature = "publish")]
    pub(crate) fn has(&self, attribute: &str) -> bool {
        let is_null = |value: &RawValue| Object::parse(value)?.get("NULL");
        self.0.get(attribute).is_some_and(|value| is_null(value) != Some(true))
    }

    /// A DynamoDB attribute of type M.
    #[cfg(feature = "publish")]
    pub(crate) fn map(&self, attribute: &str) -> Option<Object<'a>> {
        self.object(attribute)?.object("M")
    }

    /// A DynamoDB attribute of type S.
    pub(crate) fn text<T: Deserialize<'a>>(&self, attribute: &str) -> Option<T> {
        self.object(attribute)?.get("S")
    }

    /// A DynamoDB attribute of type N, which arrives as text.
    #[cfg(feature = "publish")]
    pub(crate) fn number<T: FromStr>(&self, attribute: &str) -> Option<T> {
        self.object(attribute)?.get::<String>("N")?.parse().ok()
    }
}
