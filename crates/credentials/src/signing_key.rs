use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;
use jsonwebtoken::{DecodingKey, EncodingKey};
use storefront_core::aws;
use tracing::warn;

use crate::{Error, Result};

/// How long a secret is used before it is read again: a rotation is through after this.
const REFRESH_AFTER: Duration = Duration::from_mins(5);

/// How long the secret is waited for, all tries together: reading it again happens in the middle of
/// a request, which must be left the time to go on with the last one.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// As many bytes as the hash has (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// What signs and verifies tokens. No debug output shows it.
pub struct SigningKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// The key that signs tokens now. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SigningKeys(Source);

#[derive(Clone, Debug)]
enum Source {
    Fixed(Arc<SigningKey>),
    SecretsManager(Arc<Secret>),
}

struct Secret {
    client: Client,
    arn: String,
    refresh_after: Duration,
    last_read: Mutex<Option<Read>>,
}

#[derive(Clone)]
struct Read {
    key: Arc<SigningKey>,
    at: Instant,
}

impl SigningKey {
    /// The key of a secret of at least 32 bytes.
    pub fn new(secret: &str) -> Result<Self> {
        let secret = secret.as_bytes();
        if secret.len() < MIN_SECRET_BYTES {
            return Err(Error::SecretTooShort(secret.len()));
        }
        Ok(Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        })
    }

    pub(crate) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(crate) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

impl SigningKeys {
    /// Always the key of this secret.
    pub fn fixed(secret: &str) -> Result<Self> {
        Ok(Self(Source::Fixed(Arc::new(SigningKey::new(secret)?))))
    }

    /// The key of the secret that Secrets Manager holds under this ARN (or name).
    #[must_use]
    pub fn secrets_manager(client: Client, arn: impl Into<String>) -> Self {
        Self::refreshed(client, arn.into(), REFRESH_AFTER)
    }

    fn refreshed(client: Client, arn: String, refresh_after: Duration) -> Self {
        let last_read = Mutex::new(None);
        Self(Source::SecretsManager(Arc::new(Secret { client, arn, refresh_after, last_read })))
    }

    /// What the environment names: `TOKEN_SECRET`, the secret itself, or `TOKEN_SECRET_ARN`, which
    /// is read at once, so that a function that cannot read it does not start.
    pub async fn from_environment() -> Result<Self> {
        if let Some(secret) = aws::variable("TOKEN_SECRET") {
            return Self::fixed(&secret);
        }
        let arn = aws::variable("TOKEN_SECRET_ARN").ok_or(Error::MissingSecret)?;
        let mut config = Builder::from(&aws::config().await);
        config.set_endpoint_url(aws::endpoint_url("SECRETS_MANAGER"));
        config.set_timeout_config(Some(aws::timeouts().operation_timeout(READ_TIMEOUT).build()));
        let keys = Self::secrets_manager(Client::from_conf(config.build()), arn);
        keys.current().await?;
        Ok(keys)
    }

    /// The key to use now, read again after five minutes. A secret that cannot be read again is
    /// used on: nobody is locked out because Secrets Manager is.
    pub async fn current(&self) -> Result<Arc<SigningKey>> {
        let secret = match &self.0 {
            Source::Fixed(key) => return Ok(key.clone()),
            Source::SecretsManager(secret) => secret,
        };
        let last_read = secret.last_read();
        if let Some(read) =
            last_read.as_ref().filter(|read| read.at.elapsed() < secret.refresh_after)
        {
            return Ok(read.key.clone());
        }
        match (secret.read().await, last_read) {
            (Ok(key), _) => Ok(secret.keep(Arc::new(key))),
            (Err(error), Some(read)) => {
                warn!(error = &error as &dyn std::error::Error, "using the last token secret");
                Ok(secret.keep(read.key))
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl Secret {
    async fn read(&self) -> Result<SigningKey> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.arn)
            .send()
            .await
            .map_err(|error| Error::Secret(error.into()))?;
        SigningKey::new(answer.secret_string().ok_or(Error::BinarySecret)?)
    }

    fn last_read(&self) -> Option<Read> {
        self.last_read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Two who read at once keep the same secret: the last one wins, and neither waits.
    fn keep(&self, key: Arc<SigningKey>) -> Arc<SigningKey> {
        let read = Read { key: key.clone(), at: Instant::now() };
        *self.last_read.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        key
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("arn", &self.arn).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use axum::{Json, Router};
    use jsonwebtoken::DecodingKeyKind;
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use super::*;

    /// Keys of a Secrets Manager that gives these answers, one after the other, and then fails.
    async fn keys(answers: Vec<Value>, refresh_after: Duration) -> SigningKeys {
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let give = async move || {
            let answer = answers.lock().unwrap().pop_front();
            answer.map(Json).ok_or(http::StatusCode::BAD_REQUEST)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async { axum::serve(listener, Router::new().fallback(give)).await });

        let mut config = Builder::from(&aws::emulator_config());
        config.set_endpoint_url(Some(url));
        let client = Client::from_conf(config.build());
        SigningKeys::refreshed(client, "token-secret".to_owned(), refresh_after)
    }

    fn secret(letter: &str) -> Value {
        json!({ "Name": "token-secret", "SecretString": letter.repeat(32) })
    }

    async fn current(keys: &SigningKeys) -> String {
        let key = keys.current().await.unwrap();
        match key.decoding().kind() {
            DecodingKeyKind::SecretOrDer(bytes) => String::from_utf8(bytes.clone()).unwrap(),
            DecodingKeyKind::RsaModulusExponent { .. } => unreachable!(),
        }
    }

    #[tokio::test]
    async fn a_secret_is_read_once_and_kept() {
        let keys = keys(vec![secret("a"), secret("b")], REFRESH_AFTER).await;
        assert_eq!(current(&keys).await, "a".repeat(32));
        assert_eq!(current(&keys.clone()).await, "a".repeat(32));
    }

    #[tokio::test]
    async fn a_rotated_secret_is_used_once_the_old_one_is_stale() {
        let keys = keys(vec![secret("a"), secret("b")], Duration::ZERO).await;
        assert_eq!(current(&keys).await, "a".repeat(32));
        assert_eq!(current(&keys).await, "b".repeat(32));
    }

    #[tokio::test]
    async fn a_stale_secret_is_better_than_none() {
        let keys = keys(vec![secret("a")], Duration::ZERO).await;
        assert_eq!(current(&keys).await, "a".repeat(32));
        assert_eq!(current(&keys).await, "a".repeat(32));
    }

    #[tokio::test]
    async fn without_a_secret_there_is_no_key() {
        let none = keys(vec![], REFRESH_AFTER).await;
        assert!(matches!(none.current().await, Err(Error::Secret(_))));
        let binary = keys(vec![json!({ "SecretBinary": "AAAA" })], REFRESH_AFTER).await;
        assert!(matches!(binary.current().await, Err(Error::BinarySecret)));
        let short = keys(vec![json!({ "SecretString": "short" })], REFRESH_AFTER).await;
        assert!(matches!(short.current().await, Err(Error::SecretTooShort(5))));
    }

    #[test]
    fn a_secret_that_could_be_guessed_is_refused() {
        assert!(matches!(SigningKey::new(&"x".repeat(31)), Err(Error::SecretTooShort(31))));
        assert!(SigningKey::new(&"x".repeat(32)).is_ok());
    }

    #[tokio::test]
    async fn debug_output_hides_the_secret() {
        let fixed = SigningKeys::fixed(&"hunter42".repeat(4)).unwrap();
        assert!(!format!("{fixed:?} {:?}", fixed.current().await).contains("hunter"));
        let read = keys(vec![secret("hunter")], REFRESH_AFTER).await;
        read.current().await.unwrap();
        assert!(!format!("{read:?}").contains("hunter"));
    }
}
