//! The caller of a request, and what they may do.
//!
//! The access token says who the caller is; the table says what they may do. A token is valid for a
//! quarter of an hour, and the gateway caches the authorizer's decision for some minutes more. In that
//! time a role may be revoked. So only this module sees the role in a token, and the rights of staff and
//! administrators come only from an [`Authority`], which has read the table in this very request.

use axum::extract::{FromRef, FromRequestParts};
use http::Extensions;
use http::request::Parts;
use lambda_http::request::RequestContext;
use serde_json::Value;
use storefront_core::{OrderAccess, Role, SessionId, UserId, Users};

use crate::Problem;

/// The caller of the request, as the authorizer told the gateway.
///
/// The gateway lets only requests with a caller through to the routes that need one. If another one
/// arrives anyway, it gets a 401. The caller's user may have been deleted since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller's user id.
    pub user_id: UserId,
    /// The session of the caller's token; `None` for a token of version 0.1.
    pub session_id: Option<SessionId>,
    /// The caller's role when the token was issued.
    role: Role,
}

/// What a [`Caller`] may do now.
#[derive(Clone, Copy, Debug)]
pub struct Authority {
    caller: Caller,
    role: Role,
}

/// The [`Authority`] of an administrator; anyone else gets a 403.
///
/// A handler extracts it before the body, so that nobody else learns what is wrong with the body.
#[derive(Clone, Copy, Debug)]
pub struct Admin {
    user_id: UserId,
}

/// The [`Authority`] of staff or of an administrator; anyone else gets a 403. As [`Admin`], extracted
/// before the body.
#[derive(Clone, Copy, Debug)]
pub struct Staff {
    user_id: UserId,
}

impl Caller {
    /// Reads from the table what the caller may do. The read is strongly consistent, so that the
    /// loss of a role takes effect at once. Gives a 401 if the user has been deleted.
    ///
    /// A caller whose token is a customer's costs no read. A promotion takes effect with the next token.
    pub async fn authority(self, users: &Users) -> Result<Authority, Problem> {
        let role = match self.role {
            Role::User => Role::User,
            Role::Staff | Role::Admin => {
                let role = users.role_of(self.user_id).await?;
                role.ok_or_else(Problem::no_longer_a_user)?
            }
        };
        Ok(Authority { caller: self, role })
    }

    /// Whether the caller may see and change a user. If that is the caller, the table is not read.
    pub async fn may_manage(self, user_id: UserId, users: &Users) -> Result<bool, Problem> {
        Ok(self.user_id == user_id || self.authority(users).await?.is_admin())
    }

    /// Whether the caller may see the orders of a user. If that is the caller, the table is not read.
    pub async fn may_see_orders_of(self, user_id: UserId, users: &Users) -> Result<bool, Problem> {
        Ok(self.user_id == user_id || self.authority(users).await?.is_staff())
    }

    /// Reads the caller from the gateway's request context, `authorizer.lambda`.
    pub(crate) fn from_extensions(extensions: &Extensions) -> Option<Self> {
        let Some(RequestContext::ApiGatewayV2(context)) = extensions.get() else {
            return None;
        };
        let fields = &context.authorizer.as_ref()?.fields;
        let field = |name| fields.get(name).and_then(Value::as_str);
        Some(Self {
            user_id: field("userId")?.parse().ok()?,
            session_id: field("sessionId").and_then(|id| id.parse().ok()),
            role: field("role")?.parse().ok()?,
        })
    }
}

impl Authority {
    /// The orders that the caller may see and change.
    #[must_use]
    pub fn order_access(self) -> OrderAccess {
        if self.is_staff() { OrderAccess::Any } else { OrderAccess::OwnedBy(self.caller.user_id) }
    }

    fn is_admin(self) -> bool {
        self.role == Role::Admin
    }

    /// Whether the caller works for the shop: an administrator may do all that staff may.
    fn is_staff(self) -> bool {
        matches!(self.role, Role::Staff | Role::Admin)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_extensions(&parts.extensions).ok_or_else(Problem::unauthenticated)
    }
}

impl<S> FromRequestParts<S> for Authority
where
    S: Send + Sync,
    Users: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        caller.authority(&Users::from_ref(state)).await
    }
}

/// Defines the extractor of a caller with certain rights; anyone else gets the problem.
macro_rules! rights {
    ($name:ident, $may:expr, $problem:expr) => {
        impl $name {
            /// The caller's user id.
            #[must_use]
            pub const fn user_id(self) -> UserId {
                self.user_id
            }
        }

        impl<S> FromRequestParts<S> for $name
        where
            S: Send + Sync,
            Users: FromRef<S>,
        {
            type Rejection = Problem;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
                let authority = Authority::from_request_parts(parts, state).await?;
                if $may(authority) {
                    Ok(Self { user_id: authority.caller.user_id })
                } else {
                    Err($problem())
                }
            }
        }
    };
}

rights!(Admin, Authority::is_admin, Problem::forbidden);
rights!(Staff, Authority::is_staff, Problem::staff_only);
