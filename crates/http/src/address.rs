//! Where an order is sent, and how to follow it.

use garde::Validate;
use serde::Deserialize;
use storefront_core::{Address, Country, Tracking};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::openapi::line;
use crate::{Parsed, Problem, one_line, schemas};

/// In characters. An address of usual length does not make an order cost more to write; DynamoDB counts
/// whole kilobytes.
const MAX_LINE: usize = 100;
/// For what is never long, such as a postal code.
const MAX_SHORT: usize = 32;
/// In characters.
const MAX_URL: usize = 500;

/// Where an order is sent.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Address)]
pub struct AddressBody {
    /// Who gets it.
    #[garde(length(chars, min = 1, max = MAX_LINE), custom(one_line))]
    #[schema(value_type = LineSchema)]
    name: String,
    /// Street and number, for example.
    #[garde(length(chars, min = 1, max = MAX_LINE), custom(one_line))]
    #[schema(value_type = LineSchema)]
    line1: String,
    #[garde(inner(length(chars, min = 1, max = MAX_LINE), custom(one_line)))]
    #[schema(value_type = Option<LineSchema>)]
    line2: Option<String>,
    #[garde(length(chars, min = 1, max = MAX_LINE), custom(one_line))]
    #[schema(value_type = LineSchema)]
    city: String,
    /// A state or province, where addresses have one.
    #[garde(inner(length(chars, min = 1, max = MAX_LINE), custom(one_line)))]
    #[schema(value_type = Option<LineSchema>)]
    region: Option<String>,
    #[garde(inner(length(chars, min = 1, max = MAX_SHORT), custom(one_line)))]
    #[schema(value_type = Option<ShortLineSchema>)]
    postal_code: Option<String>,
    #[garde(dive)]
    #[schema(value_type = Country)]
    country: Parsed<Country>,
    #[garde(inner(length(chars, min = 1, max = MAX_SHORT), custom(one_line)))]
    #[schema(value_type = Option<ShortLineSchema>)]
    phone: Option<String>,
}

/// How to follow a parcel.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Tracking)]
pub struct TrackingBody {
    /// Who carries it.
    #[garde(inner(length(chars, min = 1, max = MAX_LINE), custom(one_line)))]
    #[schema(value_type = Option<LineSchema>)]
    carrier: Option<String>,
    /// The carrier's number of the parcel.
    #[garde(length(chars, min = 1, max = MAX_LINE), custom(one_line))]
    #[schema(value_type = LineSchema)]
    number: String,
    /// A page that shows where it is.
    #[garde(inner(length(chars, max = MAX_URL), custom(web_address)))]
    #[schema(value_type = Option<TrackingUrlSchema>)]
    url: Option<String>,
}

schemas! {
    /// A part of an address.
    LineSchema as "Line" = line(MAX_LINE)
        .description(Some("One line, not blank, without control characters"));
    /// A short part of an address.
    ShortLineSchema as "ShortLine" = line(MAX_SHORT)
        .description(Some("One line, not blank, without control characters"));
    /// A page that shows where a parcel is.
    TrackingUrlSchema as "TrackingUrl" = ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("An address of the web"))
        .max_length(Some(MAX_URL))
        .pattern(Some("^https?://[!-~]+$"))
        .examples(["https://parcels.example/3SABC123456789"]);
}

impl TryFrom<AddressBody> for Address {
    type Error = Problem;

    fn try_from(body: AddressBody) -> Result<Self, Problem> {
        Ok(Self {
            name: body.name,
            line1: body.line1,
            line2: body.line2,
            city: body.city,
            region: body.region,
            postal_code: body.postal_code,
            country: body.country.get()?,
            phone: body.phone,
        })
    }
}

impl From<TrackingBody> for Tracking {
    fn from(body: TrackingBody) -> Self {
        Self { carrier: body.carrier, number: body.number, url: body.url }
    }
}

/// Customers follow it, so it must not be a script.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "garde passes a reference")]
fn web_address(text: impl AsRef<str>, (): &()) -> garde::Result {
    let text = text.as_ref();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_visible = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic());
    if rest.is_some_and(is_visible) {
        Ok(())
    } else {
        Err(garde::Error::new("must be an address that starts with https:// or http://"))
    }
}
