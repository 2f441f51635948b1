use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use storefront_core::Version;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr, Required};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use crate::Problem;

/// The version that a change expects, from `If-Match`; `None` if any version will do.
///
/// - absent or `*`: any version (a resource that does not exist is a 404 either way);
/// - `"3"`: this version;
/// - `"3.100"`: this version, too. What follows the dot is a state that changes without a new version,
///   such as a product's stock, and is no reason to refuse a change;
/// - any other entity tag, including weak ones: a version that no resource has, which leads to a
///   412. Our tags begin with the version, and `If-Match` compares strongly (RFC 9110, sections 8.8.3.2
///   and 13.1.1). The extractor does not give the 412 itself, because whatever else is wrong with
///   the request takes precedence (section 13.2.1);
/// - a list of several tags, which the RFC allows, or a text that is no entity tag: 400.
///
/// An annotation lists it among the `params` as it is.
#[derive(Clone, Copy, Debug)]
pub struct IfMatch(pub Option<Version>);

/// Versions begin at 1.
const NO_VERSION: Version = 0;

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(header::IF_MATCH).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self(None)),
            (Some(value), None) => read(value.to_str().unwrap_or_default().trim()).map(Self),
            (Some(_), Some(_)) => Err(malformed()),
        }
    }
}

impl IntoParams for IfMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name("If-Match")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("The expected version, as in the `ETag`"))
            .schema(Some(Ref::from_schema_name(Self::name())));
        vec![parameter.build()]
    }
}

impl PartialSchema for IfMatch {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("`*` or one entity tag (RFC 9110, section 13.1.1)"))
            .pattern(Some("^(\\*|(W/)?\"[!#-~]*\")$"))
            .examples(["*"])
            .into()
    }
}

impl ToSchema for IfMatch {}

fn read(value: &str) -> Result<Option<Version>, Problem> {
    if value == "*" {
        return Ok(None);
    }
    let strong = value.strip_prefix("W/").unwrap_or(value);
    let opaque = strong.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let Some(opaque) = opaque.filter(|opaque| !opaque.contains('"')) else {
        return Err(malformed());
    };
    let is_weak = strong.len() < value.len();
    let text = opaque.split_once('.').map_or(opaque, |(version, _)| version);
    match text.parse::<Version>() {
        // Only the exact text of the ETag: not "03" or "+3".
        Ok(version) if version.to_string() == text && !is_weak => Ok(Some(version)),
        _ => Ok(Some(NO_VERSION)),
    }
}

fn malformed() -> Problem {
    Problem::invalid_header("If-Match", "must be * or one entity tag, such as \"3\"")
}
