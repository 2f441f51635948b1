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
/// If it does not, deserializing continues and validation reports it (`#[garde(dive)]`), so that a
/// client learns about all errors at once.
#[derive(Clone)]
pub struct Parsed<T>(Result<T, String>);

impl<T> Parsed<T> {
    /// Returns the value. Every body that came through [`crate::JsonBody`] has one.
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
        /// Parses the text without copying it: some texts are secrets.
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
/// serde would also read a struct from an array of its fields in order, which the API does not
/// allow. [`crate::JsonBody`] prevents this for the body itself, this type for objects within it.
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

/// Distinguishes a field that is `null` from one that is absent, for `deserialize_with` (and
/// `default`).
///
/// With `Option<T>`, `null` is an error like any other; with `Option<Option<T>>` it is
/// `Some(None)`.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads an optional query parameter that must parse as a `T`, for `deserialize_with` (and
/// `default`). The text is parsed as in a path or a body, not by the type's own `Deserialize`.
pub fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    parsed(deserializer).map(Some)
}

/// Reads a query parameter that must parse as a `T`, for `deserialize_with`. Queries are read only up to
/// their first error.
pub fn parsed<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    let Parsed(value) = Parsed::deserialize(deserializer)?;
    value.map_err(D::Error::custom)
}
