use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use garde::Validate;
use serde::Deserialize;
use storefront_core::{Email, Locale, Name, NewUser, RequestedMail, Role, UserId};
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
/// A new user has the role `user`; an administrator can make them an `admin`. Mails to the user are in the
/// language of the request, if the shop writes in it.
///
/// A shop may register users by mail (`RegistrationByMail`). Then the answer is 202 whether or not somebody has the
/// email. A mail goes to it, with a token for `POST /verifications`, which makes the user; or, if somebody has it, one
/// that says so.
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "registerUser",
    tag = "users",
    params((
        "Accept-Language" = Option<String>, Header,
        description = "The languages that the user reads, which decide the `locale`",
        example = "de-AT, de;q=0.9, en;q=0.8",
    )),
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
        (status = 202, description = "A mail will be sent, in a shop that registers users by mail"),
        Problems<EmailTaken>,
    )
)]
pub(crate) async fn register(
    State(accounts): State<Accounts>,
    headers: HeaderMap,
    JsonBody(registration): JsonBody<Registration>,
) -> Result<Response, Problem> {
    let email = registration.email.get()?;
    let password = registration.password.get()?;
    let new = NewUser {
        email,
        name: registration.name.get()?,
        password_hash: password.hash().await.map_err(Problem::internal)?,
        role: Role::User,
        locale: accepted(&headers),
    };
    let id = UserId::new();
    if accounts.registers_by_mail {
        let mails = accounts.account_mails()?;
        accounts.registrations.keep(id, new).await?;
        mails.ask_for(RequestedMail::Registration { user_id: id }).await?;
        return Ok(StatusCode::ACCEPTED.into_response());
    }
    let user = accounts.users.register(id, new).await?;
    let body = Tagged::new(user.version, UserBody::from(user));
    Ok(Created(format!("/users/{id}"), body).into_response())
}

/// Returns the language that the client's user reads best, if the shop writes in it.
fn accepted(headers: &HeaderMap) -> Option<Locale> {
    let values = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let values: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    Locale::accepted(&values.join(","))
}
