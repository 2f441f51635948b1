use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use storefront_core::Email;
use storefront_http::problems::{Forbidden, UserNotFound};
use storefront_http::{Admin, Problem, Problems, Query, Tagged, UserBody, parsed};
use utoipa::{IntoParams, ToSchema};

use crate::Accounts;
use crate::target::{Target, UserIdOrMe};

/// The user to look for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// The user's email. Case and surrounding spaces are ignored.
    #[serde(deserialize_with = "parsed")]
    #[param(value_type = Email, example = "ada@example.com")]
    email: Email,
}

/// The users found.
#[derive(Serialize, ToSchema)]
pub(crate) struct UserList {
    /// One user, or none.
    #[schema(max_items = 1)]
    items: Vec<UserBody>,
}

/// Shows a user.
#[utoipa::path(
    get,
    path = "/users/{userId}",
    operation_id = "showUser",
    tag = "users",
    security(("accessToken" = [])),
    params(("userId" = UserIdOrMe, Path, example = "me")),
    responses(
        (status = 200, description = "The user", body = UserBody, headers(
            ("ETag" = String),
        )),
        Problems<UserNotFound>,
    )
)]
pub(crate) async fn show(
    State(accounts): State<Accounts>,
    target: Target,
) -> Result<Tagged<UserBody>, Problem> {
    let user = accounts.users.find(target.user_id).await?.ok_or_else(|| target.not_found())?;
    Ok(Tagged::new(user.version, user.into()))
}

/// Finds a user by email. For administrators.
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "findUser",
    tag = "users",
    security(("accessToken" = [])),
    params(Filter),
    responses(
        (status = 200, description = "The user with this email, if there is one", body = UserList),
        Problems<Forbidden>,
    )
)]
pub(crate) async fn find(
    State(accounts): State<Accounts>,
    _: Admin,
    Query(filter): Query<Filter>,
) -> Result<Json<UserList>, Problem> {
    let user = accounts.users.find_by_email(&filter.email).await?;
    Ok(Json(UserList { items: user.into_iter().map(UserBody::from).collect() }))
}
