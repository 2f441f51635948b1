//! Who makes a request, and what they may do.
//!
//! The access token says the first and the table the second: a token is good for an hour, and the
//! gateway keeps the authorizer's word on it for some minutes more, in which a role may have been
//! taken away. So nobody but this module sees the role that a token has, and an administrator's
//! rights come from an [`Authority`] only, which has asked the table in this very request.

use axum::extract::{FromRef, FromRequestParts};
use http::Extensions;
use http::request::Parts;
use lambda_http::request::RequestContext;
use serde_json::Value;
use storefront_core::{OrderAccess, Role, UserId, Users};

use crate::Problem;

/// Who makes the request, as the authorizer told the gateway.
///
/// The gateway lets nobody else through to the routes that ask for it; should one come by all the
/// same, they get a 401. That they are a user still is not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their id.
    pub user_id: UserId,
    /// Their role when they logged in.
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
/// As an extractor it stands before the body's, so that nobody else learns what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub struct Admin(());

impl Caller {
    /// What the table says that they may do: one strongly consistent read, so that a role that was
    /// taken away is out at once. 401 when they are deleted.
    ///
    /// Whoever was no administrator when they logged in costs no read. They are none before they
    /// log in again.
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

    /// Whether they may see and change what belongs to this user. For what is their own nobody is
    /// asked.
    pub async fn may_act_for(self, user_id: UserId, users: &Users) -> Result<bool, Problem> {
        Ok(self.user_id == user_id || self.authority(users).await?.is_admin)
    }

    /// From the gateway's request context, `authorizer.lambda`.
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
    /// Whose orders they may see and change.
    #[must_use]
    pub fn order_access(self) -> OrderAccess {
        if self.is_admin { OrderAccess::Any } else { OrderAccess::OwnedBy(self.caller.user_id) }
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
        if authority.is_admin { Ok(Self(())) } else { Err(Problem::forbidden()) }
    }
}
