use axum::extract::State;
use http::StatusCode;
use storefront_core::{Orders, Timestamp};
use storefront_http::logging::with_sources;
use storefront_http::problems::UserNotFound;
use storefront_http::{IfMatch, Problem, Problems};

use crate::Accounts;
use crate::target::{Target, UserIdOrMe};

/// Deletes a user and frees the email.
///
/// The user's orders stay; those that wait for a payment are cancelled within minutes. The user's access
/// tokens cannot change anything any more, but still show the orders until they expire.
#[utoipa::path(
    delete,
    path = "/users/{userId}",
    operation_id = "deleteUser",
    tag = "users",
    security(("accessToken" = [])),
    params(
        ("userId" = UserIdOrMe, Path, example = "01930000-0000-7000-8000-000000000002"),
        IfMatch,
    ),
    responses(
        (status = 204, description = "The user is deleted"),
        Problems<UserNotFound>,
    )
)]
pub(crate) async fn delete(
    State(accounts): State<Accounts>,
    State(orders): State<Orders>,
    target: Target,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    let deleted = accounts.users.delete(target.user_id, expected).await;
    deleted.map_err(|error| target.refused(error))?;
    // The user is already deleted, so the request succeeds even if this fails: orders that it misses
    // expire when their own time is up.
    if let Err(error) = orders.let_expire(target.user_id, Timestamp::now()).await {
        tracing::warn!(
            user_id = %target.user_id,
            cause = %with_sources(&error),
            "the pending orders of a deleted user were not cancelled"
        );
    }
    Ok(StatusCode::NO_CONTENT)
}
