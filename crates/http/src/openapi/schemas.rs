//! The schemas of values that have no type with a schema of its own, or another crate's type.
//!
//! A schema that one function alone needs stands with it.

use serde_json::Value;
use storefront_core::{Currency, MAX_PRICE};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, SchemaFormat};

/// The 16 bytes of an id, a UUID of version 7, in URL-safe base64: the version is in the ninth character, and
/// the last one has four bits that say nothing.
const CURSOR: &str = "^[A-Za-z0-3][A-Za-z0-9_-]{7}[c-f][A-Za-z0-9_-]{12}[AQgw]$";

/// What [`plain_text`](crate::plain_text) lets through: no control characters except tabs and line ends, and
/// not only white space.
pub const PLAIN_TEXT: &str = concat!(
    r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*",
    r"[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]",
    r"[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$",
);

/// Schemas for values that have no type with a schema of its own: each is a unit struct for
/// `#[schema(value_type = …)]`, the name it has among the document's components, and a builder.
#[macro_export]
macro_rules! schemas {
    ($($(#[$doc:meta])* $visibility:vis $name:ident as $component:literal = $schema:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            $visibility struct $name;

            impl ::utoipa::PartialSchema for $name {
                fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::schema::Schema> {
                    $schema.into()
                }
            }

            impl ::utoipa::ToSchema for $name {
                fn name() -> ::std::borrow::Cow<'static, str> {
                    $component.into()
                }
            }
        )*
    };
}

schemas! {
    /// What counts the changes of a thing.
    pub VersionSchema as "Version" = integer(1, i64::MAX)
        .description(Some("Counts the changes, from 1. It is the `ETag`"))
        .examples([1]);
    /// What a thing costs.
    pub PriceSchema as "Price" = integer(0, MAX_PRICE)
        .description(Some("In the currency's minor unit (cents), written without a fraction"))
        .examples([1890]);
    /// A currency.
    pub CurrencySchema as "Currency" = string()
        .description(Some("A currency of ISO 4217"))
        .enum_values(Some(currencies()))
        .examples(["EUR"]);
    /// What somebody or something is called.
    pub NameSchema as "Name" = string()
        .description(Some("Without control characters but tabs and line ends, and not blank"))
        .min_length(Some(1))
        .max_length(Some(200))
        .pattern(Some(PLAIN_TEXT));
    /// Where a page ended.
    pub CursorSchema as "Cursor" = string()
        .description(Some("Opaque: what a page gave as its `nextCursor`, and nothing else"))
        .pattern(Some(CURSOR))
        .examples(["AZMAAAAAcACAAAAAAAABAQ"]);
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn integer(minimum: u64, maximum: impl Into<utoipa::Number>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(minimum))
        .maximum(Some(maximum))
}

pub(super) fn one_of<V: Into<Value>>(
    kind: Type,
    values: impl IntoIterator<Item = V>,
) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind).enum_values(Some(values))
}

/// All that there are: the crate lists them only to those who want more dependencies.
fn currencies() -> Vec<String> {
    let letters = || 'A'..='Z';
    letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))))
        .filter(|code| Currency::from_code(code).is_some())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_are_those_that_are_taken() {
        let codes = currencies();
        assert!(codes.len() > 150, "{}", codes.len());
        for code in &codes {
            assert!(code.parse::<Currency>().is_ok(), "{code}");
        }
    }
}
