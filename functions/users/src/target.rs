use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use storefront_core::UserId;
use storefront_http::{Caller, Id, Problem};

/// The user in the path, on whose behalf the caller may act; `me` is the caller.
///
/// Another user's id is a 404, not a 403: nobody learns here which ids exist.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Whose data it is about.
    pub(crate) user_id: UserId,
    /// Whether they are the caller.
    pub(crate) is_caller: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for Target {
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
        if !caller.may_act_for(user_id) {
            return Err(Problem::user_not_found());
        }
        Ok(Self { user_id, is_caller: caller.user_id == user_id })
    }
}
