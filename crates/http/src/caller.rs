//! The caller of a request, and what they may do.
//!
//! The access token says who the caller is; the table says what they may do. A token is valid for
//! an hour, and the gateway caches the authorizer's decision for some minutes more. In that time a
//! role may be revoked. So only this module sees the role in a token, and an administrator's rights
//! come only from an [`Authority`], which has read the table in this very request.

use axum::extract::{FromRef, FromRequestParts};
use http::Extensions;
use http::request::Parts;
use lambda_http::request::RequestContext;
use serde_json::Value;
use storefront_core::{OrderAccess, Role, UserId, Users};

use crate::Problem;

/// The caller of the request, as the authorizer told the gateway.
///
/// The gateway lets only requests with a caller through to the routes that need one. If another one
/// arrives anyway, it gets a 401. The caller's user may have been deleted since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller's user id.
    pub user_id: UserId,
    /// The caller's role at log-in.
    role: Role,
}

/// What a [`Caller`] may do now.
#[derive(Clone, Copy, Debug)]
pub struct Authority {
    caller: Caller,
    is_admin: bool,
}

/// The [`Authority`] of an administrator; anyone else gets a 403.
///
/// A handler extracts it before the body, so that nobody else learns what is wrong with the body.
#[derive(Clone, Copy, Debug)]
pub struct Admin {
    user_id: UserId,
}

impl Caller {
    /// Reads from the table what the caller may do. The read is strongly consistent, so that the
    /// loss of a role takes effect at once. Gives a 401 if the user has been deleted.
    ///
    /// A caller who was not an administrator at log-in costs no read. A promotion takes effect at
    /// the next log-in.
    pub async fn authority(self, users: &Users) -> Result<Authority, Problem> {
        let is_admin = match self.role {
            Role::User => false,
            Role::Admin => {
                let role = users.role_of(self.user_id).await?;
                role.ok_or_else(Problem::no_longer_a_user)? == Role::Admin
            }
        };
        Ok(Authority { caller: self, is_admin })
    }

    /// Whether the caller may see and change what belongs to this user. If that is the caller, the
    /// table is not read.
    pub async fn may_act_for(self, user_id: UserId, users: &Users) -> Result<bool, Problem> {
        Ok(self.user_id == user_id || self.authority(users).await?.is_admin)
    }

    /// Reads the caller from the gateway's request context, `authorizer.lambda`.
    pub(crate) fn from_extensions(extensions: &Extensions) -> Option<Self> {
        let Some(RequestContext::ApiGatewayV2(context)) = extensions.get() else {
            return None;
        };
        let fields = &context.authorizer.as_ref()?.fields;
        let field = |name| fields.get(name).and_then(Value::as_str);
        Some(Self { user_id: field("userId")?.parse().ok()?, role: field("role")?.parse().ok()? })
    }
}

impl Authority {
    /// The orders that the caller may see and change.
    #[must_use]
    pub fn order_access(self) -> OrderAccess {
        if self.is_admin { OrderAccess::Any } else { OrderAccess::OwnedBy(self.caller.user_id) }
    }
}

impl Admin {
    /// The administrator's user id.
    #[must_use]
    pub const fn user_id(self) -> UserId {
        self.user_id
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

impl<S> FromRequestParts<S> for Admin
where
    S: Send + Sync,
    Users: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let authority = Authority::from_request_parts(parts, state).await?;
        if authority.is_admin {
            Ok(Self { user_id: authority.caller.user_id })
        } else {
            Err(Problem::forbidden())
        }
    }
}
