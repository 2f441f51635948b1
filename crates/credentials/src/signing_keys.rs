use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use storefront_core::aws::{self, SdkConfig};
use tracing::debug;

use crate::secret::{Clock, Secret, Versions};
use crate::token::{self, InvalidToken, Token};
use crate::{Error, Result, SigningKey};

#[cfg(test)]
mod tests;

/// How long reading the secret may take, all attempts together. It is refreshed in the middle of a
/// request, which needs time left to go on with the last known secret.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// The keys that sign and verify tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SigningKeys(Source);

/// Why a token's claims are not known.
#[derive(Debug, thiserror::Error)]
pub enum NotVerified {
    /// The token is not valid.
    #[error(transparent)]
    Token(InvalidToken),
    /// There is no key to verify the token with.
    #[error(transparent)]
    Key(Error),
}

#[derive(Clone, Debug)]
enum Source {
    Fixed(Arc<SigningKey>),
    SecretsManager(Arc<Secret>),
}

impl SigningKeys {
    /// The key of this secret, which never changes.
    pub fn fixed(secret: &str) -> Result<Self> {
        Ok(Self(Source::Fixed(Arc::new(SigningKey::new(secret)?))))
    }

    /// The keys of the secret with this ARN (or name) in Secrets Manager.
    #[must_use]
    pub fn secrets_manager(client: Client, arn: impl Into<String>) -> Self {
        Self::timed(client, arn.into(), Arc::new(SystemTime::now))
    }

    fn timed(client: Client, arn: String, clock: Clock) -> Self {
        Self(Source::SecretsManager(Arc::new(Secret::new(client, arn, clock))))
    }

    /// The keys that the environment names: `TOKEN_SECRET` is the secret itself; the secret at
    /// `TOKEN_SECRET_ARN` is read at once, so that a function that cannot read it does not start.
    pub async fn from_environment(config: &SdkConfig) -> Result<Self> {
        if let Some(secret) = aws::variable("TOKEN_SECRET") {
            return Self::fixed(&secret);
        }
        let arn = aws::variable("TOKEN_SECRET_ARN").ok_or(Error::MissingSecret)?;
        let mut config = Builder::from(config);
        config.set_endpoint_url(aws::endpoint_url("SECRETS_MANAGER"));
        config.set_timeout_config(Some(aws::timeouts().operation_timeout(READ_TIMEOUT).build()));
        let keys = Self::secrets_manager(Client::from_conf(config.build()), arn);
        keys.current().await?;
        Ok(keys)
    }

    /// The key to sign with. It is the new one at the latest five minutes after a rotation.
    pub async fn current(&self) -> Result<Arc<SigningKey>> {
        match &self.0 {
            Source::Fixed(key) => Ok(key.clone()),
            Source::SecretsManager(secret) => Ok(secret.versions().await?.current.clone()),
        }
    }

    /// Returns the token's claims if the token is valid and signed with the current key or, for a token's
    /// lifetime after a rotation, with the previous one.
    pub async fn verify<T: Token>(&self, token: &str) -> Result<T, NotVerified> {
        let secret = match &self.0 {
            Source::Fixed(key) => return Ok(token::verify(key, token)?),
            Source::SecretsManager(secret) => secret,
        };
        let versions = secret.versions().await.map_err(NotVerified::Key)?;
        let unverified = match verify_with(secret, &versions, token).await {
            Ok(claims) => return Ok(claims),
            Err(NotVerified::Token(error)) if !error.is_of_another_key() => {
                return Err(error.into());
            }
            Err(unverified) => unverified,
        };
        let versions = secret.versions_read_again().await.map_err(NotVerified::Key)?;
        let versions = versions.ok_or(unverified)?;
        verify_with(secret, &versions, token).await
    }
}

async fn verify_with<T: Token>(
    secret: &Secret,
    versions: &Versions,
    token: &str,
) -> Result<T, NotVerified> {
    match token::verify(&versions.current, token) {
        Err(error) if error.is_of_another_key() => {
            let previous = secret.previous(versions, T::LIFETIME).await;
            let previous = previous.map_err(NotVerified::Key)?.ok_or(error)?;
            let claims = token::verify(previous, token)?;
            debug!("the token is signed with the previous secret");
            Ok(claims)
        }
        verified => Ok(verified?),
    }
}

impl From<InvalidToken> for NotVerified {
    fn from(error: InvalidToken) -> Self {
        Self::Token(error)
    }
}
