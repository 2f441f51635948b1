use axum::extract::State;
use garde::Validate;
use serde::Deserialize;
use storefront_core::Role;
use storefront_http::problems::{AdministratorNeeded, Forbidden, UserNotFound};
use storefront_http::{Admin, IfMatch, JsonBody, Parsed, Problem, Problems, Tagged, UserBody};
use utoipa::ToSchema;

use crate::Accounts;
use crate::target::{Named, UserIdOrMe};

/// The new role of a user.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleAssignment {
    /// The new role.
    #[garde(dive)]
    #[schema(value_type = Role)]
    role: Parsed<Role>,
}

/// Assigns a role to a user. For administrators.
///
/// A demotion takes effect immediately, a promotion at the user's next log-in. Administrators cannot demote
/// themselves, but each other, so that the shop always has one.
#[utoipa::path(
    put,
    path = "/users/{userId}/role",
    operation_id = "assignRole",
    tag = "users",
    security(("accessToken" = [])),
    params(
        ("userId" = UserIdOrMe, Path, example = "01930000-0000-7000-8000-000000000002"),
        IfMatch,
    ),
    request_body(content = RoleAssignment, example = json!({ "role": "user" })),
    responses(
        (status = 200, description = "The user", body = UserBody, headers(
            ("ETag" = String),
        )),
        Problems<(Forbidden, UserNotFound, AdministratorNeeded)>,
    )
)]
pub(crate) async fn assign(
    State(accounts): State<Accounts>,
    admin: Admin,
    named: Named,
    IfMatch(expected): IfMatch,
    JsonBody(assignment): JsonBody<RoleAssignment>,
) -> Result<Tagged<UserBody>, Problem> {
    let role = assignment.role.get()?;
    let target = named.for_admin(admin);
    let user = accounts.users.assign_role(target.user_id, role, expected, target.caller).await;
    let user = user.map_err(|error| target.refused(error))?;
    Ok(Tagged::new(user.version, user.into()))
}
