use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a user may do: `user` places orders, `staff` sees and moves them all, `admin` runs the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Places orders, and sees their own.
    User,
    /// Sees and moves any order, and books stock and refunds.
    Staff,
    /// Runs the shop: all that staff may do, and products, roles, any user.
    Admin,
}

/// The text is not the name of a role.
#[derive(Debug, thiserror::Error)]
#[error("must be user, staff or admin")]
pub struct InvalidRole;

impl Role {
    /// `user`, `staff` or `admin`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Staff => "staff",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = InvalidRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "user" => Ok(Self::User),
            "staff" => Ok(Self::Staff),
            "admin" => Ok(Self::Admin),
            _ => Err(InvalidRole),
        }
    }
}
