use axum::extract::State;
use garde::Validate;
use serde::Deserialize;
use storefront_core::{Email, Error, User, UserChanges, Version};
use storefront_credentials::{GivenPassword, Password};
use storefront_http::openapi::NameSchema;
use storefront_http::problems::{EmailTaken, TooManyLogins, UserNotFound, WrongPassword};
use storefront_http::{
    IfMatch, JsonBody, Parsed, Problem, Problems, Tagged, UserBody, plain_text, present,
};
use utoipa::ToSchema;

use crate::Accounts;
use crate::target::{Target, UserIdOrMe};

/// What to change of a user.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(min_properties = 1)]
pub(crate) struct UserPatch {
    /// What to call the user.
    #[serde(default, deserialize_with = "present")]
    #[garde(inner(length(chars, min = 1, max = 200), custom(plain_text)))]
    #[schema(value_type = NameSchema, required = false)]
    name: Option<String>,
    /// Nobody else may have it. Capitals and spaces around it do not count.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = Email, required = false)]
    email: Option<Parsed<Email>>,
    /// What to log in with from now on.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = Password, required = false)]
    password: Option<Parsed<Password>>,
    /// What the user logs in with now: for a new email or password of one's own.
    #[serde(default, deserialize_with = "present")]
    #[garde(dive)]
    #[schema(value_type = GivenPassword, required = false)]
    current_password: Option<Parsed<GivenPassword>>,
}

/// Changes a user.
///
/// A new email or password of one's own needs `currentPassword`; an administrator needs none to
/// change another's. Failures count as failed log-ins. Access tokens stay good until they expire.
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
    target: Target,
    IfMatch(expected): IfMatch,
    JsonBody(patch): JsonBody<UserPatch>,
) -> Result<Tagged<UserBody>, Problem> {
    let name = patch.name;
    let email = patch.email.map(Parsed::get).transpose()?;
    let password = patch.password.map(Parsed::get).transpose()?;
    let current_password = patch.current_password.map(Parsed::get).transpose()?;
    if name.is_none() && email.is_none() && password.is_none() {
        return Err(Problem::invalid_field("", "needs a name, an email or a password to change"));
    }

    let needs_confirmation = target.is_caller && (email.is_some() || password.is_some());
    let confirmed = if needs_confirmation {
        let current = current_password.ok_or_else(|| {
            Problem::invalid_field("/currentPassword", "is needed for this change")
        })?;
        Some(accounts.confirm(target, current, expected).await?)
    } else {
        None
    };
    let password_hash = match password {
        Some(password) => Some(password.hash().await.map_err(Problem::internal)?),
        None => None,
    };
    let changes = UserChanges { name, email, password_hash, role: None };
    // Whoever confirmed with their password changes the very user whose password it was: another
    // change in between, such as of the password, makes the write fail.
    let version = confirmed.as_ref().map(|user| user.version).or(expected);
    match accounts.users.update(target.user_id, changes, version).await {
        Ok(user) => Ok(Tagged(user.version, user.into())),
        // The client named no version, so to them it is a collision like any other.
        Err(Error::VersionMismatch { .. }) if expected.is_none() => Err(Problem::contention()),
        Err(error) => Err(target.refused(error)),
    }
}

impl Accounts {
    /// The target, after checking that this is their password.
    ///
    /// A wrong one counts as a failed log-in: who has got hold of a token must not guess more often
    /// than who has not.
    async fn confirm(
        &self,
        target: Target,
        password: GivenPassword,
        expected: Option<Version>,
    ) -> Result<User, Problem> {
        let user = self.users.find_now(target.user_id).await?.ok_or_else(|| target.not_found())?;
        if expected.is_some_and(|version| version != user.version) {
            return Err(Error::VersionMismatch { current: user.version }.into());
        }
        self.login_attempts.begin(&user.email).await?;
        if !password.verify(&user.password_hash).await.map_err(Problem::internal)? {
            return Err(Problem::wrong_password());
        }
        self.login_attempts.succeeded(&user.email).await;
        Ok(user)
    }
}
