//! The secret in Secrets Manager, and its rotation.
//!
//! `PutSecretValue` makes the new value `AWSCURRENT` and the one before it `AWSPREVIOUS`. Tokens are
//! signed with the current one only. Those of the previous one are good until the last of them has
//! expired ([`PREVIOUS_IS_GOOD_FOR`]), so that a rotation logs nobody out.

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

use crate::{Error, Result, SigningKey, access_token};

/// How long a secret is used before it is read again: after this everybody signs with a new one.
pub(crate) const REFRESH_AFTER: Duration = Duration::from_mins(5);

/// How long after a rotation the previous secret's tokens are good: somebody may sign with it until
/// they read the secret again, and the token lives from then on.
pub(crate) const PREVIOUS_IS_GOOD_FOR: Duration =
    access_token::LIFETIME.saturating_add(REFRESH_AFTER);

/// How long the secret is not read once more for the sake of a token that no known key has signed.
/// Anyone can send such tokens, in any number.
pub(crate) const READ_ONCE_MORE_AFTER: Duration = Duration::from_secs(10);

const PREVIOUS: &str = "AWSPREVIOUS";

/// Tells the time; tests have one of their own.
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
    read_once_more_at: Option<SystemTime>,
    previous_failed_at: Option<SystemTime>,
}

#[derive(Clone)]
struct Read {
    versions: Arc<Versions>,
    at: SystemTime,
}

/// The secret's versions, as they were when it was read.
pub(crate) struct Versions {
    pub(crate) current: Arc<SigningKey>,
    /// When the current version was put; the previous one was current until then.
    rotated_at: Option<SystemTime>,
    /// Read when a token wants it, which it does for an hour after a rotation.
    previous: OnceCell<Option<SigningKey>>,
}

impl Secret {
    pub(crate) fn new(client: Client, arn: String, clock: Clock) -> Self {
        Self { client, arn, clock, state: Mutex::default() }
    }

    /// The versions to use now, read again after five minutes. A secret that cannot be read again
    /// is used on: nobody is locked out because Secrets Manager is.
    pub(crate) async fn versions(&self) -> Result<Arc<Versions>> {
        let last_read = self.state().last_read.clone();
        if let Some(read) = last_read.as_ref().filter(|read| !self.is_over(read.at, REFRESH_AFTER))
        {
            return Ok(read.versions.clone());
        }
        match (self.read().await, last_read) {
            (Ok(versions), _) => Ok(self.keep(Arc::new(versions))),
            (Err(error), Some(read)) => {
                warn!(error = &error as &dyn StdError, "using the last token secret");
                Ok(self.keep(read.versions))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// The versions as they are now, for a token that none of the known keys has signed: whoever
    /// signed it may have read the secret after a rotation, and this one before it. `None` when
    /// they were read for such a token a moment ago, or cannot be read.
    pub(crate) async fn versions_once_more(&self) -> Option<Arc<Versions>> {
        {
            let mut state = self.state();
            let last = state.read_once_more_at;
            if last.is_some_and(|last| !self.is_over(last, READ_ONCE_MORE_AFTER)) {
                return None;
            }
            state.read_once_more_at = Some((self.clock)());
        }
        match self.read().await {
            Ok(versions) => Some(self.keep(Arc::new(versions))),
            Err(error) => {
                warn!(error = &error as &dyn StdError, "the token secret could not be read again");
                None
            }
        }
    }

    /// The key before the current one, while its tokens are good. That it cannot be read costs the
    /// tokens that it signed, and nobody else.
    pub(crate) async fn previous<'a>(&self, versions: &'a Versions) -> Option<&'a SigningKey> {
        if self.is_over(versions.rotated_at?, PREVIOUS_IS_GOOD_FOR) {
            return None;
        }
        let failed_at = self.state().previous_failed_at;
        if failed_at.is_some_and(|at| !self.is_over(at, READ_ONCE_MORE_AFTER)) {
            return versions.previous.get()?.as_ref();
        }
        match versions.previous.get_or_try_init(|| self.read_previous()).await {
            Ok(previous) => previous.as_ref(),
            Err(error) => {
                let error: &dyn StdError = &error;
                warn!(error, "going on without the previous token secret");
                self.state().previous_failed_at = Some((self.clock)());
                None
            }
        }
    }

    async fn read(&self) -> Result<Versions> {
        let request = self.client.get_secret_value().secret_id(&self.arn);
        // Boxed: it is rarely needed, and the future of a request is large and deep.
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

    /// Two who read at once keep the same secret: the last one wins, and neither waits.
    fn keep(&self, versions: Arc<Versions>) -> Arc<Versions> {
        let read = Read { versions: versions.clone(), at: (self.clock)() };
        self.state().last_read = Some(read);
        versions
    }

    /// Whether a time that began then is over. It is not when it has yet to begin: the clocks of
    /// two machines differ.
    fn is_over(&self, begin: SystemTime, duration: Duration) -> bool {
        (self.clock)().duration_since(begin).is_ok_and(|elapsed| elapsed >= duration)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A read is never half written.
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
