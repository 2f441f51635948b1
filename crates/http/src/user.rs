use serde::Serialize;
use storefront_core::{Email, Role, Timestamp, User, UserId, Version};
use utoipa::ToSchema;

use crate::openapi::{EmailSchema, NameSchema, TimestampSchema, UserIdSchema, VersionSchema};

/// A user, as the API shows them: to themselves and to administrators.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub struct UserBody {
    /// The user's id.
    #[schema(value_type = UserIdSchema)]
    id: UserId,
    /// Trimmed and lower-cased.
    #[schema(value_type = EmailSchema)]
    email: Email,
    /// What the user is called.
    #[schema(value_type = NameSchema)]
    name: String,
    /// What the user may do.
    #[schema(value_type = RoleSchema)]
    role: Role,
    /// Counts the changes, from 1. It is the `ETag`.
    #[schema(value_type = VersionSchema)]
    version: Version,
    /// When the user registered.
    #[schema(value_type = TimestampSchema)]
    created_at: Timestamp,
    /// When the user was last changed.
    #[schema(value_type = TimestampSchema)]
    updated_at: Timestamp,
}

/// What a user may do: `user` orders, `admin` keeps the shop.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "lowercase")]
#[allow(missing_docs, reason = "the container says it")]
pub enum RoleSchema {
    User,
    Admin,
}

impl From<User> for UserBody {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            role: user.role,
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}
