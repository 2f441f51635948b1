//! Where an order is sent, and how to follow it.

use garde::Validate;
use serde::Deserialize;
use storefront_core::{Address, AddressLine, Country, ShortLine, Tracking};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::openapi::line;
use crate::{Parsed, Problem, schemas};

/// In characters.
const MAX_URL: usize = 500;

/// Where an order is sent.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Address)]
pub struct AddressBody {
    /// Who gets it.
    #[garde(dive)]
    #[schema(value_type = LineSchema)]
    name: Parsed<AddressLine>,
    /// Street and number, for example.
    #[garde(dive)]
    #[schema(value_type = LineSchema)]
    line1: Parsed<AddressLine>,
    #[garde(dive)]
    #[schema(value_type = Option<LineSchema>)]
    line2: Option<Parsed<AddressLine>>,
    #[garde(dive)]
    #[schema(value_type = LineSchema)]
    city: Parsed<AddressLine>,
    /// A state or province, where addresses have one.
    #[garde(dive)]
    #[schema(value_type = Option<LineSchema>)]
    region: Option<Parsed<AddressLine>>,
    #[garde(dive)]
    #[schema(value_type = Option<ShortLineSchema>)]
    postal_code: Option<Parsed<ShortLine>>,
    #[garde(dive)]
    #[schema(value_type = Country)]
    country: Parsed<Country>,
    #[garde(dive)]
    #[schema(value_type = Option<ShortLineSchema>)]
    phone: Option<Parsed<ShortLine>>,
}

/// How to follow a parcel.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Tracking)]
pub struct TrackingBody {
    /// Who carries it.
    #[garde(dive)]
    #[schema(value_type = Option<LineSchema>)]
    carrier: Option<Parsed<AddressLine>>,
    /// The carrier's number of the parcel.
    #[garde(dive)]
    #[schema(value_type = LineSchema)]
    number: Parsed<AddressLine>,
    /// A page that shows where it is.
    #[garde(inner(length(chars, max = MAX_URL), custom(web_address)))]
    #[schema(value_type = Option<TrackingUrlSchema>)]
    url: Option<String>,
}

schemas! {
    /// A part of an address.
    LineSchema as "Line" = line(AddressLine::MAX);
    /// A short part of an address.
    ShortLineSchema as "ShortLine" = line(ShortLine::MAX);
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
            name: body.name.get()?,
            line1: body.line1.get()?,
            line2: body.line2.map(Parsed::get).transpose()?,
            city: body.city.get()?,
            region: body.region.map(Parsed::get).transpose()?,
            postal_code: body.postal_code.map(Parsed::get).transpose()?,
            country: body.country.get()?,
            phone: body.phone.map(Parsed::get).transpose()?,
        })
    }
}

impl TryFrom<TrackingBody> for Tracking {
    type Error = Problem;

    fn try_from(body: TrackingBody) -> Result<Self, Problem> {
        Ok(Self {
            carrier: body.carrier.map(Parsed::get).transpose()?,
            number: body.number.get()?,
            url: body.url,
        })
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
