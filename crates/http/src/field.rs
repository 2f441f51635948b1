//! Fields of bodies and queries.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use garde::error::Path;
use garde::{Report, Validate};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::Problem;

/// A string field that must parse as a `T`.
///
/// Reading the body goes on when it does not, and validation reports it (`#[garde(dive)]`), so that
/// a client learns of everything that is wrong at once.
#[derive(Clone)]
pub struct Parsed<T>(Result<T, String>);

impl<T> Parsed<T> {
    /// The value. It is there in every body that came through [`crate::JsonBody`].
    pub fn get(self) -> Result<T, Problem> {
        self.0.map_err(|detail| Problem::invalid_field("", detail))
    }
}

impl<T: fmt::Debug> fmt::Debug for Parsed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Validate for Parsed<T> {
    type Context = ();

    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        if let Err(detail) = &self.0 {
            report.append(parent(), garde::Error::new(detail));
        }
    }
}

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Parses what it is shown rather than a copy: some texts are secrets.
        struct Text<T>(PhantomData<T>);

        impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
            type Value = Parsed<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Parsed(text.parse().map_err(|error: T::Err| error.to_string())))
            }
        }

        deserializer.deserialize_str(Text(PhantomData))
    }
}

/// A JSON object.
///
/// serde also reads a struct from an array of its fields in order, which the contract does not
/// have; [`crate::JsonBody`] sees to the body itself, and this to objects within it.
#[derive(Clone, Debug)]
pub struct Object<T>(pub T);

impl<T: Validate<Context = ()>> Validate for Object<T> {
    type Context = ();

    fn validate_into(&self, (): &(), parent: &mut dyn FnMut() -> Path, report: &mut Report) {
        self.0.validate_into(&(), parent, report);
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// For `deserialize_with` (and `default`): tells a field that is `null` from one that is absent.
///
/// With `Option<T>`, `null` is a mistake like any other; with `Option<Option<T>>` it is
/// `Some(None)`.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// For `#[garde(custom(plain_text))]`: a text that shows what it says, without control characters
/// (line feeds and tabs are fine), and not only of white space.
pub fn plain_text(text: impl AsRef<str>, (): &()) -> garde::Result {
    let text = text.as_ref();
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(garde::Error::new("must not contain control characters"));
    }
    if !text.is_empty() && text.trim().is_empty() {
        return Err(garde::Error::new("must not be blank"));
    }
    Ok(())
}

/// For `deserialize_with` (and `default`), in a query: a parameter that must parse as a `T`, if it is
/// there. What is sent is read as it is in a path or a body, not as serde would.
pub fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    parse(deserializer).map(Some)
}

/// A query's field that must parse as a `T`: queries are read up to their first mistake.
pub(crate) fn parse<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    let Parsed(value) = Parsed::deserialize(deserializer)?;
    value.map_err(D::Error::custom)
}
