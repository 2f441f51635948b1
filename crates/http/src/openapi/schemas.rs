//! The schemas of values that the core knows as types of their own: exactly what is taken and
//! given, so that a request which meets its schema is read, and one which does not is refused.

use std::borrow::Cow;

use storefront_core::{Currency, Email, MAX_PRICE};
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{KnownFormat, Ref, RefOr, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::CODES;

/// A UUID of version 7 (RFC 9562, section 5.7) of a time before the year 9600: ids are made as
/// things are, so there is no other.
const ID: &str =
    "^[0-9a-dA-D][0-9a-fA-F]{7}-[0-9a-fA-F]{4}-7[0-9a-fA-F]{3}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";

/// The 16 bytes of such a UUID in URL-safe base64: the version is in the ninth character, and the
/// last one has four bits that say nothing.
const CURSOR: &str = "^[A-Za-z0-3][A-Za-z0-9_-]{7}[c-f][A-Za-z0-9_-]{12}[AQgw]$";

/// What `plain_text` lets through: no control characters but tabs and line ends, not only white
/// space.
const PLAIN_TEXT: &str = concat!(
    r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*",
    r"[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]",
    r"[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$",
);

/// The same, or nothing.
const PLAIN_TEXT_OR_EMPTY: &str = concat!(
    r"^([^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*",
    r"[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]",
    r"[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*)?$",
);

/// Up to 64 characters that are no control characters, with any white space around them, which is
/// not counted. (Lengths are a part of the pattern because of that.)
const CATEGORY: &str = concat!(
    r"^[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*",
    r"[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]",
    r"([^\u0000-\u001F\u007F-\u009F]{0,62}",
    r"[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000])?",
    r"[\u0009-\u000D\u0020\u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*$",
);

macro_rules! schemas {
    ($($(#[$doc:meta])* $name:ident as $component:literal = $schema:expr;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    $schema.into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    Cow::Borrowed($component)
                }
            }
        )*

        /// All of them, by name: some are used by parameters only, which utoipa does not collect.
        pub(super) fn all() -> Vec<(String, RefOr<Schema>)> {
            vec![$(($component.to_owned(), <$name as PartialSchema>::schema()),)*]
        }
    };
}

schemas! {
    /// A user's id.
    UserIdSchema as "UserId" = id("A user's id", "01930000-0000-7000-8000-000000000002");
    /// A user's id in a path, where `me` stands for the caller.
    UserIdOrMeSchema as "UserIdOrMe" = AnyOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["me"])))
        .item(Ref::from_schema_name("UserId"))
        .description(Some("A user's id, or `me` for the caller"));
    /// A product's id.
    ProductIdSchema as "ProductId" = id("A product's id", "01930000-0000-7000-8000-000000000101");
    /// An order's id.
    OrderIdSchema as "OrderId" = id("An order's id", "01930000-0000-7000-8000-000000000201");
    /// What counts the changes of a thing.
    VersionSchema as "Version" = integer(1, i64::MAX)
        .description(Some("Counts the changes, from 1. It is the `ETag`"))
        .examples([1]);
    /// A moment, as answers have it.
    TimestampSchema as "Timestamp" = string()
        .description(Some("A moment in UTC, to the millisecond (RFC 3339)"))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .pattern(Some(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"))
        .examples(["2026-11-22T09:00:00.000Z"]);
    /// What a thing costs.
    PriceSchema as "Price" = integer(0, MAX_PRICE)
        .description(Some("In the currency's minor unit (cents), written without a fraction"))
        .examples([1890]);
    /// A currency.
    CurrencySchema as "Currency" = string()
        .description(Some("A currency of ISO 4217"))
        .enum_values(Some(currencies()))
        .examples(["EUR"]);
    /// A category as clients write it.
    CategorySchema as "Category" = string()
        .description(Some("Trimmed and lower-cased; then 1 to 64 characters"))
        .pattern(Some(CATEGORY))
        .examples(["coffee"]);
    /// What somebody or something is called.
    NameSchema as "Name" = string()
        .description(Some("Without control characters but tabs and line ends, and not blank"))
        .min_length(Some(1))
        .max_length(Some(200))
        .pattern(Some(PLAIN_TEXT));
    /// A text that may be empty.
    DescriptionSchema as "Description" = string()
        .description(Some("Without control characters but tabs and line ends, and not blank"))
        .max_length(Some(5000))
        .pattern(Some(PLAIN_TEXT_OR_EMPTY));
    /// An email address.
    EmailSchema as "Email" = string()
        .description(Some("Of a domain that has a dot. Capitals and spaces around it do not count"))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Email)))
        .min_length(Some("a@b.c".len()))
        .max_length(Some(Email::MAX_LENGTH))
        .examples(["ada@example.com"]);
    /// A password, which is taken and never given.
    PasswordSchema as "Password" = string()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(8))
        .max_length(Some(128))
        .examples(["storefront-demo"]);
    /// A password that somebody says is theirs. Users from elsewhere may have others than one can get
    /// here.
    GivenPasswordSchema as "GivenPassword" = string()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .min_length(Some(1))
        .max_length(Some(1024))
        .examples(["storefront-demo"]);
    /// Where a page ended.
    CursorSchema as "Cursor" = string()
        .description(Some("Opaque: what a page gave as its `nextCursor`, and nothing else"))
        .pattern(Some(CURSOR))
        .examples(["AZMAAAAAcACAAAAAAAABAQ"]);
    /// The version that a change expects.
    IfMatchSchema as "IfMatch" = string()
        .description(Some("`*` or one entity tag (RFC 9110, section 13.1.1)"))
        .pattern(Some("^(\\*|(W/)?\"[!#-~]*\")$"))
        .examples(["*"]);
    /// A client's name for an order.
    IdempotencyKeySchema as "IdempotencyKey" = string()
        .description(Some("The client's name for this order: visible ASCII characters"))
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]+$"))
        .examples(["6f1c2d9e-order-17"]);
    /// The kinds of problems.
    ProblemCodeSchema as "ProblemCode" = string()
        .description(Some("The kind of problem, for programs"))
        .enum_values(Some(CODES.map(|(_, code)| code)))
        .examples(["email_taken"]);
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

fn id(description: &str, example: &str) -> ObjectBuilder {
    string()
        .description(Some(format!("{description}: a UUID of version 7")))
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .pattern(Some(ID))
        .examples([example])
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
