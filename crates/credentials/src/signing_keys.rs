use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use storefront_core::aws::{self, SdkConfig};
use tracing::debug;

use crate::access_token::{self, Bearer, InvalidToken};
use crate::secret::{Clock, Secret, Versions};
use crate::{Error, Result, SigningKey};

#[cfg(test)]
mod tests;

/// How long the secret is waited for, all tries together: reading it again happens in the middle of
/// a request, which must be left the time to go on with the last one.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// The keys that tokens are signed and verified with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SigningKeys(Source);

/// Why nobody can be told to be a token's bearer.
#[derive(Debug, thiserror::Error)]
pub enum NotVerified {
    /// The token is not good.
    #[error(transparent)]
    Token(InvalidToken),
    /// There is no key to verify it with.
    #[error(transparent)]
    Key(Error),
}

#[derive(Clone, Debug)]
enum Source {
    Fixed(Arc<SigningKey>),
    SecretsManager(Arc<Secret>),
}

impl SigningKeys {
    /// Always the key of this secret.
    pub fn fixed(secret: &str) -> Result<Self> {
        Ok(Self(Source::Fixed(Arc::new(SigningKey::new(secret)?))))
    }

    /// The keys of the secret that Secrets Manager holds under this ARN (or name).
    #[must_use]
    pub fn secrets_manager(client: Client, arn: impl Into<String>) -> Self {
        Self::timed(client, arn.into(), Arc::new(SystemTime::now))
    }

    fn timed(client: Client, arn: String, clock: Clock) -> Self {
        Self(Source::SecretsManager(Arc::new(Secret::new(client, arn, clock))))
    }

    /// What the environment names: `TOKEN_SECRET`, the secret itself, or `TOKEN_SECRET_ARN`, which
    /// is read at once, so that a function that cannot read it does not start.
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

    /// The key to sign with now: five minutes after a rotation at the latest, the new one.
    pub async fn current(&self) -> Result<Arc<SigningKey>> {
        match &self.0 {
            Source::Fixed(key) => Ok(key.clone()),
            Source::SecretsManager(secret) => Ok(secret.versions().await?.current.clone()),
        }
    }

    /// Who the token was issued to, if one of the keys has signed it that may have and it is good
    /// still. For a while after a rotation, that is also the key before the current one.
    pub async fn verify(&self, token: &str) -> Result<Bearer, NotVerified> {
        let secret = match &self.0 {
            Source::Fixed(key) => return Ok(access_token::verify(key, token)?),
            Source::SecretsManager(secret) => secret,
        };
        let versions = secret.versions().await.map_err(NotVerified::Key)?;
        match verify_with(secret, &versions, token).await {
            Err(error) if error.is_of_another_key() => {
                let versions = secret.versions_once_more().await.ok_or(error)?;
                Ok(verify_with(secret, &versions, token).await?)
            }
            verified => Ok(verified?),
        }
    }
}

async fn verify_with(
    secret: &Secret,
    versions: &Versions,
    token: &str,
) -> Result<Bearer, InvalidToken> {
    match access_token::verify(&versions.current, token) {
        Err(error) if error.is_of_another_key() => {
            let previous = secret.previous(versions).await.ok_or(error)?;
            let bearer = access_token::verify(previous, token)?;
            debug!("a token of the previous secret");
            Ok(bearer)
        }
        verified => verified,
    }
}

impl From<InvalidToken> for NotVerified {
    fn from(error: InvalidToken) -> Self {
        Self::Token(error)
    }
}
