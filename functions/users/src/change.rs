use axum::extract::State;
use garde::Validate;
use serde::Deserialize;
use storefront_core::{Email, Locale, Name, UserChanges};
use storefront_credentials::{GivenPassword, Password};
use storefront_http::openapi::NameSchema;
use storefront_http::problems::{EmailTaken, TooManyLogins, UserNotFound, WrongPassword};
use storefront_http::{
    Caller, IfMatch, JsonBody, OptionalSource, Parsed, Problem, Problems, Tagged, UserBody, present,
};
use utoipa::ToSchema;

use crate::Accounts;
use crate::target::{Target, UserIdOrMe};

/// The changes to a user.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(min_properties = 1)]
pub(crate) struct UserPatch {
    /// The user's name.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = NameSchema, required = false)]
    name: Option<Parsed<Name>>,
    /// Must not belong to another user. Case and surrounding spaces are ignored.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = Email, required = false)]
    email: Option<Parsed<Email>>,
    /// The new password.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = Password, required = false)]
    password: Option<Parsed<Password>>,
    /// The language of mails to the user.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = Locale, required = false)]
    locale: Option<Parsed<Locale>>,
    /// The current password, required to change one's own email or password.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = GivenPassword, required = false)]
    current_password: Option<Parsed<GivenPassword>>,
}

/// Changes a user.
///
/// To change one's own email or password, `currentPassword` is required; administrators do not need
/// it to change another user's. Failures count as failed log-ins. A new password ends all sessions of the
/// user, except for the one in which it is changed; access tokens stay valid until they expire.
#[utoipa::path(
    patch,
    path = "/users/{userId}",
    operation_id = "changeUser",
    tag = "users",
    security(("accessToken" = [])),
    params(
        ("userId" = UserIdOrMe, Path, example = "me"),
        IfMatch,
    ),
    request_body(content = UserPatch, example = json!({ "name": "Ada King" })),
    responses(
        (status = 200, description = "The user", body = UserBody, headers(
            ("ETag" = String),
        )),
        Problems<(WrongPassword, UserNotFound, EmailTaken, TooManyLogins)>,
    )
)]
pub(crate) async fn change(
    State(accounts): State<Accounts>,
    caller: Caller,
    target: Target,
    OptionalSource(source): OptionalSource,
    IfMatch(expected): IfMatch,
    JsonBody(patch): JsonBody<UserPatch>,
) -> Result<Tagged<UserBody>, Problem> {
    let name = patch.name.map(Parsed::get).transpose()?;
    let email = patch.email.map(Parsed::get).transpose()?;
    let password = patch.password.map(Parsed::get).transpose()?;
    let locale = patch.locale.map(Parsed::get).transpose()?;
    let current_password = patch.current_password.map(Parsed::get).transpose()?;
    if name.is_none() && email.is_none() && password.is_none() && locale.is_none() {
        let detail = "needs a name, an email, a password or a locale to change";
        return Err(Problem::invalid_field("", detail));
    }

    let needs_confirmation = target.is_caller() && (email.is_some() || password.is_some());
    let confirmed = if needs_confirmation {
        let current = current_password.ok_or_else(|| {
            Problem::invalid_field("/currentPassword", "is required for this change")
        })?;
        Some(accounts.confirm(target, current, source.clone(), expected).await?)
    } else {
        None
    };
    let password_hash = match password {
        Some(password) => Some(password.hash().await.map_err(Problem::internal)?),
        None => None,
    };
    // With a new password, the session in which it is changed goes on.
    let keeps = match (&confirmed, caller.session_id.filter(|_| password_hash.is_some())) {
        (Some(user), Some(session_id)) => accounts.sessions.to_keep(user, session_id).await?,
        _ => None,
    };
    let changes = UserChanges { name, email, password_hash, keeps, role: None, locale };
    let version = confirmed.as_ref().map(|user| user.version).or(expected);
    let changed = accounts.users.update(target.user_id, changes, version).await;
    let user = changed.map_err(|error| target.refused_after_confirmation(error, expected))?;
    if confirmed.is_some() {
        accounts.login_attempts.know_source(&user, source.as_ref()).await;
    }
    Ok(Tagged::new(user.version, user.into()))
}
