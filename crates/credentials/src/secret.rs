//! The secret in Secrets Manager, and its rotation.
//!
//! `PutSecretValue` labels the new value `AWSCURRENT` and the one before it `AWSPREVIOUS`. Only the
//! current one signs tokens. Tokens signed with the previous one stay valid until the last of them has
//! expired, so that a rotation logs nobody out.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::{
    GetSecretValueError, GetSecretValueOutput,
};
use tokio::sync::OnceCell;
use tracing::warn;

use crate::{Error, Result, SigningKey};

/// How long a secret is used before it is read again. This long after a rotation, every function
/// signs with the new secret.
pub(crate) const REFRESH_AFTER: Duration = Duration::from_mins(5);

/// The minimum time between two reads of the secret that are made because no known key signed a token.
/// Anyone can send such tokens, in any number.
pub(crate) const MIN_EXTRA_READ_INTERVAL: Duration = Duration::from_secs(10);

const PREVIOUS: &str = "AWSPREVIOUS";

/// Tells the time. Tests have their own.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

pub(crate) struct Secret {
    client: Client,
    arn: String,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last_read: Option<Read>,
    extra_read_at: Option<SystemTime>,
    extra_read_failed: bool,
    previous_failed_at: Option<SystemTime>,
}

#[derive(Clone)]
struct Read {
    versions: Arc<Versions>,
    at: SystemTime,
}

/// The versions of the secret when it was read.
pub(crate) struct Versions {
    pub(crate) current: Arc<SigningKey>,
    /// When the current version replaced the previous one.
    rotated_at: Option<SystemTime>,
    /// Read when a token first needs it.
    previous: OnceCell<Option<SigningKey>>,
}

impl Secret {
    pub(crate) fn new(client: Client, arn: String, clock: Clock) -> Self {
        Self { client, arn, clock, state: Mutex::default() }
    }

    /// The versions to use now, read again after five minutes. If that fails, the last ones stay in use,
    /// so that an outage of Secrets Manager locks nobody out.
    pub(crate) async fn versions(&self) -> Result<Arc<Versions>> {
        let last_read = self.state().last_read.clone();
        if let Some(read) = last_read.as_ref().filter(|read| !self.is_over(read.at, REFRESH_AFTER))
        {
            return Ok(read.versions.clone());
        }
        match (self.read().await, last_read) {
            (Ok(versions), _) => Ok(self.keep(Arc::new(versions))),
            (Err(error), Some(read)) => {
                warn!(
                    error = &error as &dyn StdError,
                    "the token secret could not be refreshed; using the last one"
                );
                Ok(self.keep(read.versions))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Reads the versions again, because no known key signed a token: the function that signed it may
    /// have read the secret after a rotation, and this one before it. `None` if they were read for this
    /// reason a moment ago.
    pub(crate) async fn versions_read_again(&self) -> Result<Option<Arc<Versions>>> {
        {
            let mut state = self.state();
            let last = state.extra_read_at;
            if last.is_some_and(|last| !self.is_over(last, MIN_EXTRA_READ_INTERVAL)) {
                return if state.extra_read_failed { Err(Error::SecretUnread) } else { Ok(None) };
            }
            state.extra_read_at = Some((self.clock)());
            // Until it has succeeded.
            state.extra_read_failed = true;
        }
        match self.read().await {
            Ok(versions) => {
                self.state().extra_read_failed = false;
                Ok(Some(self.keep(Arc::new(versions))))
            }
            Err(error) => {
                warn!(error = &error as &dyn StdError, "the token secret could not be read again");
                Err(error)
            }
        }
    }

    /// The previous key, while its tokens are valid, which have this lifetime. If it cannot be read, nobody
    /// knows whether it signed a token.
    pub(crate) async fn previous<'a>(
        &self,
        versions: &'a Versions,
        lifetime: Duration,
    ) -> Result<Option<&'a SigningKey>> {
        let Some(rotated_at) = versions.rotated_at else { return Ok(None) };
        // A function may sign with it until it reads the secret again; the last token's lifetime starts then.
        if self.is_over(rotated_at, lifetime.saturating_add(REFRESH_AFTER)) {
            return Ok(None);
        }
        let failed_at = self.state().previous_failed_at;
        if failed_at.is_some_and(|at| !self.is_over(at, MIN_EXTRA_READ_INTERVAL)) {
            let known = versions.previous.get().ok_or(Error::SecretUnread)?;
            return Ok(known.as_ref());
        }
        match versions.previous.get_or_try_init(|| self.read_previous()).await {
            Ok(previous) => Ok(previous.as_ref()),
            Err(error) => {
                warn!(
                    error = &error as &dyn StdError,
                    "the previous token secret could not be read; going on without it"
                );
                self.state().previous_failed_at = Some((self.clock)());
                Err(error)
            }
        }
    }

    async fn read(&self) -> Result<Versions> {
        let request = self.client.get_secret_value().secret_id(&self.arn);
        // Boxed, because the future of a request is large and rarely needed.
        let answer = Box::pin(request.send()).await.map_err(|error| Error::Secret(error.into()))?;
        Ok(Versions {
            current: Arc::new(key(&answer)?),
            rotated_at: answer.created_date().and_then(|date| SystemTime::try_from(*date).ok()),
            previous: OnceCell::new(),
        })
    }

    /// `None` for a secret that was never rotated.
    async fn read_previous(&self) -> Result<Option<SigningKey>> {
        let request = self.client.get_secret_value().secret_id(&self.arn).version_stage(PREVIOUS);
        match Box::pin(request.send()).await {
            Ok(answer) => key(&answer).map(Some),
            Err(error) => {
                let cause = error.as_service_error();
                if cause.is_some_and(GetSecretValueError::is_resource_not_found_exception) {
                    return Ok(None);
                }
                Err(Error::Secret(error.into()))
            }
        }
    }

    /// If two requests read the secret at once, neither waits for the other, and the last one wins.
    fn keep(&self, versions: Arc<Versions>) -> Arc<Versions> {
        let read = Read { versions: versions.clone(), at: (self.clock)() };
        self.state().last_read = Some(read);
        versions
    }

    /// Whether this time has elapsed since `begin`. It has not if `begin` is in the future, because the
    /// clocks of two machines differ.
    fn is_over(&self, begin: SystemTime, duration: Duration) -> bool {
        (self.clock)().duration_since(begin).is_ok_and(|elapsed| elapsed >= duration)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is never left half-written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(answer: &GetSecretValueOutput) -> Result<SigningKey> {
    SigningKey::new(answer.secret_string().ok_or(Error::BinarySecret)?)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("arn", &self.arn).finish_non_exhaustive()
    }
}
