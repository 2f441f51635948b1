//! Schemas in the OpenAPI document for the types with their own rules. They describe exactly what
//! is accepted and returned: a request that matches its schema is accepted, and any other is
//! rejected.
//!
//! Each type has its schema next to it, in [`openapi!`]. It needs the feature `openapi`, because
//! the crate itself knows nothing of HTTP.

/// Defines the schema of a type, under the type's own name.
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

/// Starts the schema of a string.
#[cfg(feature = "openapi")]
pub(crate) fn string(description: &str) -> utoipa::openapi::ObjectBuilder {
    use utoipa::openapi::schema::{ObjectBuilder, Type};
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}
