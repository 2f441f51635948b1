//! Schemas of values without a type of their own, or with a type of another crate.
//!
//! A schema that only one function needs is in that function.

use std::str::FromStr;

use serde_json::Value;
use storefront_core::text::line_pattern;
use storefront_core::{Currency, MAX_PRICE, MAX_TOTAL, Name, PriceCurrency};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{KnownFormat, SchemaFormat};

/// The 16 bytes of an id, a UUID of version 7, in URL-safe base64. The ninth character contains the
/// version, and the last one has four unused bits.
const CURSOR: &str = "^[A-Za-z0-3][A-Za-z0-9_-]{7}[c-f][A-Za-z0-9_-]{12}[AQgw]$";

/// Starts the schema of a [`storefront_core::Line`] of at most this many characters.
#[must_use]
pub fn line(max_length: usize) -> ObjectBuilder {
    string()
        .description(Some(
            "One line, not blank, without characters that are invisible or change the direction of \
             writing",
        ))
        .min_length(Some(1))
        .max_length(Some(max_length))
        .pattern(Some(line_pattern()))
}

/// Defines schemas of values without a type of their own. Each has a unit struct for
/// `#[schema(value_type = …)]`, its name among the document's components, and a builder.
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
    /// The version of a resource.
    pub VersionSchema as "Version" = integer(1, i64::MAX)
        .description(Some("Counts the changes, from 1. It is the `ETag`"))
        .examples([1]);
    /// A price.
    pub PriceSchema as "Price" = integer(0, MAX_PRICE)
        .description(Some(
            "In the currency's minor unit: cents of EUR, whole JPY, thousandths of KWD (ISO 4217)",
        ))
        .examples([1890]);
    /// An order's total.
    pub TotalSchema as "Total" = integer(0, MAX_TOTAL)
        .description(Some("In the currency's minor unit, like a price"))
        .examples([3780]);
    /// A currency.
    pub CurrencySchema as "Currency" = string()
        .description(Some("A currency of ISO 4217"))
        .enum_values(Some(codes_of::<Currency>()))
        .examples(["EUR"]);
    /// A currency that new prices may be in.
    pub PriceCurrencySchema as "PriceCurrency" = string()
        .description(Some("A currency of ISO 4217 that people pay with: no metals and no funds"))
        .enum_values(Some(codes_of::<PriceCurrency>()))
        .examples(["EUR"]);
    /// The name of a user or a product.
    pub NameSchema as "Name" = line(Name::MAX);
    /// Where a page ended.
    pub CursorSchema as "Cursor" = string()
        .description(Some("Opaque: the `nextCursor` of a page, unchanged"))
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

/// Returns the codes of all currencies of this kind. The crate's own list would need more
/// dependencies.
fn codes_of<T: FromStr>() -> Vec<String> {
    let letters = || 'A'..='Z';
    letters()
        .flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))))
        .filter(|code| code.parse::<T>().is_ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metals_are_currencies_but_not_of_prices() {
        let (all, of_prices) = (codes_of::<Currency>(), codes_of::<PriceCurrency>());
        assert!(of_prices.len() > 140 && all.len() > of_prices.len(), "{}", of_prices.len());
        assert!(all.contains(&"XAU".to_owned()) && !of_prices.contains(&"XAU".to_owned()));
    }
}
