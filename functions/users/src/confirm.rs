use garde::Validate;
use serde::Deserialize;
use storefront_core::{Error, LoginAttempt, Source, User, Version};
use storefront_credentials::GivenPassword;
use storefront_http::{Parsed, Problem};
use utoipa::ToSchema;

use crate::Accounts;
use crate::target::Target;

/// The confirmation of what a stolen access token alone must not be able to do.
#[derive(Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Confirmation {
    /// The caller's current password.
    #[garde(dive)]
    #[schema(value_type = GivenPassword)]
    pub(crate) current_password: Parsed<GivenPassword>,
}

impl Accounts {
    /// Reads the target, and checks that this is their password.
    ///
    /// A wrong password counts as a failed log-in: somebody with a stolen token must not get more
    /// guesses than somebody without one.
    ///
    /// What is confirmed applies only to the version that is returned: another change in between, such
    /// as of the password, must make the write fail.
    pub(crate) async fn confirm(
        &self,
        target: Target,
        password: GivenPassword,
        source: Option<Source>,
        expected: Option<Version>,
    ) -> Result<User, Problem> {
        let user = self.users.find_now(target.user_id).await?.ok_or_else(|| target.not_found())?;
        if expected.is_some_and(|version| version != user.version) {
            return Err(Error::VersionMismatch { current: user.version }.into());
        }
        let attempt = LoginAttempt::new(user.email.clone(), Some(&user), source);
        self.login_attempts.begin(&attempt).await?;
        if !password.is_of(Some(&user)).await.map_err(Problem::internal)? {
            self.login_attempts.failed(&attempt).await;
            return Err(Problem::wrong_password());
        }
        self.login_attempts.forget(&attempt).await;
        Ok(user)
    }
}
