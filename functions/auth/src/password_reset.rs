//! A new password for who has forgotten the old one.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use serde::Deserialize;
use storefront_core::{Email, MailToken, RequestedMail};
use storefront_credentials::Password;
use storefront_http::problems::{MailDisabled, MailTokenInvalid};
use storefront_http::{JsonBody, Parsed, Problem, Problems};
use tracing::info;
use utoipa::ToSchema;

use crate::Accounts;
use crate::verification::MAX_TOKEN;

/// Who has forgotten the password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ForgottenPassword {
    /// Where the mail goes, if a user has it. Case and surrounding spaces are ignored.
    #[garde(dive)]
    #[schema(value_type = Email)]
    email: Parsed<Email>,
}

/// The token of a mail, and the new password.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewPassword {
    /// The token, from the link of the mail.
    #[garde(length(bytes, min = 1, max = MAX_TOKEN))]
    #[schema(min_length = 1, max_length = 128)]
    token: String,
    /// The password to log in with from now on.
    #[garde(dive)]
    #[schema(value_type = Password)]
    password: Parsed<Password>,
}

/// Asks for a mail that leads to a new password.
///
/// The answer is the same whether or not anybody has the email. If a user has, the mail has a link with a token
/// for `POST /password-resets/confirm`, which is valid for an hour. An email gets at most three such mails within an
/// hour.
#[utoipa::path(
    post,
    path = "/password-resets",
    operation_id = "requestPasswordReset",
    tag = "sessions",
    request_body(content = ForgottenPassword, example = json!({ "email": "ada@example.com" })),
    responses(
        (status = 202, description = "A mail will be sent, if a user has the email"),
        Problems<MailDisabled>,
    )
)]
pub(crate) async fn request(
    State(accounts): State<Accounts>,
    JsonBody(forgotten): JsonBody<ForgottenPassword>,
) -> Result<StatusCode, Problem> {
    let mail = RequestedMail::PasswordReset { email: forgotten.email.get()? };
    accounts.account_mails()?.ask_for(mail).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Sets a new password with the token of a mail.
///
/// The token works once, and no longer if the user has changed the password or the email since. All sessions of the
/// user end, failed log-ins no longer count, and the email is verified. To go on, log in.
#[utoipa::path(
    post,
    path = "/password-resets/confirm",
    operation_id = "resetPassword",
    tag = "sessions",
    request_body(content = NewPassword, example = json!({
        "token": "qLX0pIuqQmuJvDzKIVWZ6s2mfdMA9hbVvj6DoEJ0t4k",
        "password": "correct horse battery",
    })),
    responses(
        (status = 204, description = "The password is set"),
        Problems<MailTokenInvalid>,
    )
)]
pub(crate) async fn confirm(
    State(accounts): State<Accounts>,
    JsonBody(new): JsonBody<NewPassword>,
) -> Result<StatusCode, Problem> {
    let password = new.password.get()?;
    // Before the password is hashed: strangers have no token.
    let reset = accounts.mail_tokens.find_reset(&MailToken::given(new.token)).await?;
    let hash = password.hash().await.map_err(Problem::internal)?;
    let user_id = accounts.mail_tokens.reset_password(reset, hash).await?;
    info!(%user_id, "the password was set by mail");
    Ok(StatusCode::NO_CONTENT)
}
