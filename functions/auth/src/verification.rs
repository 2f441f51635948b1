//! Whether somebody reads the mails to their email.

use axum::extract::State;
use garde::Validate;
use http::StatusCode;
use serde::Deserialize;
use storefront_core::{MailToken, RequestedMail};
use storefront_http::problems::{MailDisabled, MailTokenInvalid};
use storefront_http::{Caller, JsonBody, Problem, Problems};
use utoipa::ToSchema;

use crate::Accounts;

/// The token of a mail.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Verification {
    /// The token, from the link of the mail.
    #[garde(length(bytes, min = 1, max = MAX_TOKEN))]
    #[schema(min_length = 1, max_length = 128)]
    token: String,
}

/// The longest token that is looked up, in bytes. The shop's have 43.
pub(crate) const MAX_TOKEN: usize = 128;

/// Asks for a mail that verifies the caller's email.
///
/// The mail has a link with a token for `POST /verifications`, which is valid for 24 hours. Nothing is sent if the
/// email is verified already, or has got three such mails within an hour.
#[utoipa::path(
    post,
    path = "/users/me/verification",
    operation_id = "requestVerification",
    tag = "users",
    security(("accessToken" = [])),
    responses(
        (status = 202, description = "The mail will be sent"),
        Problems<MailDisabled>,
    )
)]
pub(crate) async fn request(
    State(accounts): State<Accounts>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let mail = RequestedMail::Verification { user_id: caller.user_id };
    accounts.account_mails()?.ask_for(mail).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Verifies an email with the token that was sent to it.
///
/// The token works once. The user's `emailVerified` is true from then on, until the email changes.
#[utoipa::path(
    post,
    path = "/verifications",
    operation_id = "verifyEmail",
    tag = "users",
    request_body(content = Verification, example = json!({
        "token": "qLX0pIuqQmuJvDzKIVWZ6s2mfdMA9hbVvj6DoEJ0t4k",
    })),
    responses(
        (status = 204, description = "The email is verified"),
        Problems<MailTokenInvalid>,
    )
)]
pub(crate) async fn verify(
    State(accounts): State<Accounts>,
    JsonBody(verification): JsonBody<Verification>,
) -> Result<StatusCode, Problem> {
    accounts.mail_tokens.verify_email(&MailToken::given(verification.token)).await?;
    Ok(StatusCode::NO_CONTENT)
}
