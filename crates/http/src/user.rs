use serde::Serialize;
use storefront_core::{Email, Locale, Name, Role, Timestamp, User, UserId, Version};
use utoipa::ToSchema;

use crate::openapi::{NameSchema, VersionSchema};

/// A user, as shown to themselves and to administrators.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub struct UserBody {
    /// The user's id.
    id: UserId,
    /// Trimmed and lower-cased.
    email: Email,
    /// Whether the user has shown that they read the mails to this email.
    email_verified: bool,
    /// The user's name.
    #[schema(value_type = NameSchema)]
    name: Name,
    /// What the user may do.
    role: Role,
    /// The language of mails to the user. Absent if it is not known: mails are in English then.
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<Locale>,
    /// Counts the changes, from 1. It is the `ETag`.
    #[schema(value_type = VersionSchema)]
    version: Version,
    /// When the user registered.
    created_at: Timestamp,
    /// When the user was last changed.
    updated_at: Timestamp,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            email_verified: user.email_verified,
            name: user.name,
            role: user.role,
            locale: user.locale,
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}
