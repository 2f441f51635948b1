use axum::extract::State;
use axum::response::IntoResponse;
use garde::Validate;
use http::{StatusCode, header};
use serde::Deserialize;
use storefront_core::{Email, NewUser, Role, UserId};
use storefront_credentials::Password;
use storefront_http::openapi::{EmailSchema, NameSchema, PasswordSchema};
use storefront_http::{JsonBody, Parsed, Problem, Tagged, UserBody, plain_text};
use utoipa::ToSchema;

use crate::Accounts;

/// A new user.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Registration {
    /// Nobody else may have it. Capitals and spaces around it do not count.
    #[garde(dive)]
    #[schema(value_type = EmailSchema)]
    email: Parsed<Email>,
    /// What to log in with.
    #[garde(dive)]
    #[schema(value_type = PasswordSchema)]
    password: Parsed<Password>,
    /// What to call the user.
    #[garde(length(chars, min = 1, max = 200), custom(plain_text))]
    #[schema(value_type = NameSchema)]
    name: String,
}

/// Registers a user.
///
/// Whoever registers is a `user`; an administrator can make them an `admin`.
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
        (status = 409, description = "`email_taken`: another user has the email"),
    )
)]
pub(crate) async fn register(
    State(accounts): State<Accounts>,
    JsonBody(registration): JsonBody<Registration>,
) -> Result<impl IntoResponse, Problem> {
    let email = registration.email.get()?;
    let password = registration.password.get()?;
    let new = NewUser {
        email,
        name: registration.name,
        password_hash: password.hash().await.map_err(Problem::internal)?,
        role: Role::User,
    };
    let user = accounts.users.register(UserId::new(), new).await?;
    let location = [(header::LOCATION, format!("/users/{}", user.id))];
    let body = Tagged(user.version, UserBody::from(user));
    Ok((StatusCode::CREATED, location, body))
}
