use axum::extract::State;
use garde::Validate;
use serde::Deserialize;
use storefront_core::{Email, Name, NewUser, Role, UserId};
use storefront_credentials::Password;
use storefront_http::openapi::NameSchema;
use storefront_http::problems::EmailTaken;
use storefront_http::{Created, JsonBody, Parsed, Problem, Problems, Tagged, UserBody};
use utoipa::ToSchema;

use crate::Accounts;

/// A new user.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Registration {
    /// Must not belong to another user. Case and surrounding spaces are ignored.
    #[garde(dive)]
    #[schema(value_type = Email)]
    email: Parsed<Email>,
    /// The password to log in with.
    #[garde(dive)]
    #[schema(value_type = Password)]
    password: Parsed<Password>,
    /// The user's name.
    #[garde(dive)]
    #[schema(value_type = NameSchema)]
    name: Parsed<Name>,
}

/// Registers a user.
///
/// A new user has the role `user`; an administrator can make them an `admin`.
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "registerUser",
    tag = "users",
    request_body(content = Registration, example = json!({
        "email": "grace@example.com",
        "password": "correct horse battery",
        "name": "Grace Hopper",
    })),
    responses(
        (status = 201, description = "The user", body = UserBody, headers(
            ("Location" = String),
            ("ETag" = String),
        )),
        Problems<EmailTaken>,
    )
)]
pub(crate) async fn register(
    State(accounts): State<Accounts>,
    JsonBody(registration): JsonBody<Registration>,
) -> Result<Created<UserBody>, Problem> {
    let email = registration.email.get()?;
    let password = registration.password.get()?;
    let new = NewUser {
        email,
        name: registration.name.get()?,
        password_hash: password.hash().await.map_err(Problem::internal)?,
        role: Role::User,
    };
    let user = accounts.users.register(UserId::new(), new).await?;
    Ok(Created(format!("/users/{}", user.id), Tagged::new(user.version, user.into())))
}
