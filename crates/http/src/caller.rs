use axum::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use lambda_http::request::RequestContext;
use serde_json::Value;
use storefront_core::{OrderAccess, Role, UserId};

use crate::Problem;

/// Who makes the request, as the authorizer told the gateway.
///
/// The gateway lets nobody else through to the routes that ask for it; should one come by all the
/// same, they get a 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their id.
    pub user_id: UserId,
    /// Their role when they logged in.
    pub role: Role,
}

/// A [`Caller`] who is an administrator; anyone else gets a 403.
///
/// As an extractor it stands before the body's, so that nobody else learns what is wrong with it.
#[derive(Clone, Copy, Debug)]
pub struct Admin(pub Caller);

impl Caller {
    /// 403 unless the caller is an administrator.
    pub fn require_admin(self) -> Result<Self, Problem> {
        if self.is_admin() { Ok(self) } else { Err(Problem::forbidden()) }
    }

    /// Whether the caller is an administrator.
    #[must_use]
    pub fn is_admin(self) -> bool {
        self.role == Role::Admin
    }

    /// Whether the caller may see and change what belongs to this user.
    #[must_use]
    pub fn may_act_for(self, user_id: UserId) -> bool {
        self.is_admin() || self.user_id == user_id
    }

    /// Whose orders the caller may see.
    #[must_use]
    pub fn order_access(self) -> OrderAccess {
        if self.is_admin() { OrderAccess::Any } else { OrderAccess::OwnedBy(self.user_id) }
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

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::from_extensions(&parts.extensions).ok_or_else(Problem::unauthenticated)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, state).await?.require_admin().map(Self)
    }
}
