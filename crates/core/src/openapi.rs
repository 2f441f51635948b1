//! How the types with rules of their own look in the OpenAPI document: exactly what is taken and given, so
//! that a request that matches its schema is read and any other is refused.
//!
//! Each type has its schema beside it, through [`openapi!`]; with the feature `openapi` only, because the
//! crate itself knows nothing of HTTP.

/// Gives a type its schema, under the type's own name.
macro_rules! openapi {
    ($type:ty = $schema:expr) => {
        #[cfg(feature = "openapi")]
        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                #[allow(unused_imports, reason = "not every schema has a format")]
                use utoipa::openapi::{KnownFormat, SchemaFormat};
                $schema.into()
            }
        }

        #[cfg(feature = "openapi")]
        impl utoipa::ToSchema for $type {}
    };
}

pub(crate) use openapi;

/// A string, of which more is to be said.
#[cfg(feature = "openapi")]
pub(crate) fn string(description: &str) -> utoipa::openapi::ObjectBuilder {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}
