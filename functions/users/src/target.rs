use axum::extract::{FromRef, FromRequestParts, Path};
use http::request::Parts;
use storefront_core::{Error, UserId, Users, Version};
use storefront_http::{Admin, Caller, Id, Problem, schemas};
use utoipa::openapi::Ref;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Type};

/// The user in the path, on whose behalf the caller may act; `me` is the caller.
///
/// Another user's id is a 404, not a 403, so that nobody learns which ids exist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The user's id.
    pub(crate) user_id: UserId,
    pub(crate) caller: UserId,
}

/// The user in the path, for any caller. Use it only through [`Named::for_admin`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Named {
    caller: Caller,
    user_id: UserId,
}

schemas! {
    /// A user's id in a path; `me` stands for the caller.
    pub(crate) UserIdOrMe as "UserIdOrMe" = AnyOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["me"])))
        .item(Ref::from_schema_name("UserId"))
        .description(Some("A user's id, or `me` for the caller"));
}

impl Named {
    /// Lets an administrator act on behalf of anyone.
    pub(crate) fn for_admin(self, _: Admin) -> Target {
        self.target()
    }

    fn target(self) -> Target {
        Target { user_id: self.user_id, caller: self.caller.user_id }
    }
}

impl Target {
    pub(crate) fn is_caller(self) -> bool {
        self.user_id == self.caller
    }

    /// Returns that there is no such user or, if it is the caller, that their token is worthless.
    pub(crate) fn not_found(self) -> Problem {
        if self.is_caller() { Problem::no_longer_a_user() } else { Problem::user_not_found() }
    }

    /// Returns why nothing was done on the user's behalf.
    pub(crate) fn refused(self, error: Error) -> Problem {
        match error {
            Error::UserNotFound => self.not_found(),
            error => error.into(),
        }
    }

    /// Returns why nothing was done with the version that the target's password has confirmed, given the
    /// one that the client named.
    pub(crate) fn refused_after_confirmation(
        self,
        error: Error,
        expected: Option<Version>,
    ) -> Problem {
        match error {
            // To a client that named no version, this is a conflict like any other.
            Error::VersionMismatch { .. } if expected.is_none() => Problem::contention(),
            error => self.refused(error),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let is_me = Path::<String>::from_request_parts(parts, state)
            .await
            .is_ok_and(|Path(segment)| segment == "me");
        let user_id = if is_me {
            caller.user_id
        } else {
            let Id(user_id) = Id::<UserId>::from_request_parts(parts, state).await?;
            user_id
        };
        Ok(Self { caller, user_id })
    }
}

impl<S> FromRequestParts<S> for Target
where
    S: Send + Sync,
    Users: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let named = Named::from_request_parts(parts, state).await?;
        if named.caller.may_manage(named.user_id, &Users::from_ref(state)).await? {
            Ok(named.target())
        } else {
            Err(Problem::user_not_found())
        }
    }
}
