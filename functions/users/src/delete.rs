use axum::extract::State;
use http::StatusCode;
use storefront_core::{Error, Source, Timestamp, Version};
use storefront_http::logging::with_sources;
use storefront_http::problems::{AdministratorNeeded, TooManyLogins, UserNotFound, WrongPassword};
use storefront_http::{Caller, IfMatch, JsonBody, OptionalSource, Problem, Problems};

use crate::Accounts;
use crate::confirm::Confirmation;
use crate::target::{Target, UserIdOrMe};

/// Deletes a user and frees the email.
///
/// Deleting oneself needs the current password, in a body; clients that send none with DELETE use `POST
/// /users/me/deletion`. Administrators cannot delete themselves, but each other. The user's orders stay;
/// those that wait for a payment are cancelled within minutes. The user's access tokens cannot change
/// anything any more, but still show the orders until they expire.
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
    request_body(content = Option<Confirmation>, description = "Required to delete oneself"),
    responses(
        (status = 204, description = "The user is deleted"),
        Problems<(WrongPassword, UserNotFound, AdministratorNeeded, TooManyLogins)>,
    )
)]
pub(crate) async fn delete(
    State(accounts): State<Accounts>,
    target: Target,
    OptionalSource(source): OptionalSource,
    IfMatch(expected): IfMatch,
    confirmation: Option<JsonBody<Confirmation>>,
) -> Result<StatusCode, Problem> {
    if !target.is_caller() {
        return accounts.delete(target, expected).await;
    }
    let JsonBody(confirmation) = confirmation.ok_or_else(|| {
        Problem::invalid_field("/currentPassword", "is required to delete oneself")
    })?;
    accounts.delete_confirmed(target, confirmation, source, expected).await
}

/// Deletes the caller, like `DELETE /users/me`.
#[utoipa::path(
    post,
    path = "/users/me/deletion",
    operation_id = "deleteOneself",
    tag = "users",
    security(("accessToken" = [])),
    params(IfMatch),
    request_body = Confirmation,
    responses(
        (status = 204, description = "The caller is deleted"),
        Problems<(WrongPassword, AdministratorNeeded, TooManyLogins)>,
    )
)]
pub(crate) async fn delete_oneself(
    State(accounts): State<Accounts>,
    caller: Caller,
    OptionalSource(source): OptionalSource,
    IfMatch(expected): IfMatch,
    JsonBody(confirmation): JsonBody<Confirmation>,
) -> Result<StatusCode, Problem> {
    let target = Target { user_id: caller.user_id, caller: caller.user_id };
    accounts.delete_confirmed(target, confirmation, source, expected).await
}

impl Accounts {
    async fn delete_confirmed(
        &self,
        target: Target,
        confirmation: Confirmation,
        source: Option<Source>,
        expected: Option<Version>,
    ) -> Result<StatusCode, Problem> {
        let password = confirmation.current_password.get()?;
        let confirmed = self.confirm(target, password, source, expected).await?;
        let version = Some(confirmed.version);
        let deleted = self.users.delete_on_behalf_of(target.caller, target.user_id, version).await;
        deleted.map_err(|error| target.refused_after_confirmation(error, expected))?;
        self.let_orders_expire(target).await;
        Ok(StatusCode::NO_CONTENT)
    }

    async fn delete(
        &self,
        target: Target,
        expected: Option<Version>,
    ) -> Result<StatusCode, Problem> {
        let deleted = self.users.delete_on_behalf_of(target.caller, target.user_id, expected).await;
        deleted.map_err(|error| match error {
            // As for everybody who is no administrator.
            Error::AdministratorsOnly => Problem::user_not_found(),
            error => target.refused(error),
        })?;
        self.let_orders_expire(target).await;
        Ok(StatusCode::NO_CONTENT)
    }

    /// The user is already deleted, so the request succeeds even if this fails: orders that it misses
    /// expire when their own time is up.
    async fn let_orders_expire(&self, target: Target) {
        if let Err(error) = self.orders.let_expire(target.user_id, Timestamp::now()).await {
            tracing::warn!(
                user_id = %target.user_id,
                cause = %with_sources(&error),
                "the pending orders of a deleted user were not cancelled"
            );
        }
    }
}
