//! How often log-ins fail, and from where.
//!
//! Nobody may guess on, and nobody may be kept out by a stranger who guesses. So failures count for an
//! email and a source together; for a source over all emails; and for an email over all sources, but not
//! against a source from which its owner has logged in before.

use std::error::Error as StdError;
use std::time::Duration;

use serde::Deserialize;
use tracing::warn;
use uuid::Uuid;

use super::counter::Counter;
use super::{Source, User};
use crate::access_patterns::{AccessPattern, pattern};
use crate::change::{number, string};
use crate::schema::{EXPIRES_AT, Item, ItemType, Key, TYPE};
use crate::table::Consistency;
use crate::{Email, Error, Result, Table, Timestamp};

/// This many failures for an email from one source, within [`LOGIN_WINDOW`], keep that source from logging in
/// to it.
pub const MAX_LOGIN_FAILURES: usize = 10;

/// This many failures for an email, from all sources together, keep all sources out that it does not know.
pub const MAX_FAILURES_OF_EMAIL: usize = 100;

/// This many failures from a source, for all emails together, keep it out. Many people may share an address,
/// in an office or behind a mobile network.
pub const MAX_FAILURES_OF_SOURCE: usize = 100;

/// How long failures count, starting from the first.
pub const LOGIN_WINDOW: Duration = Duration::from_mins(15);

/// How long a source is known to an email, from the last log-in from there. Longer than a session lasts: people
/// log in again when theirs has ended, and must not find their own place unknown just then.
pub const SOURCE_KNOWN_FOR: Duration = Duration::from_hours(90 * 24);

/// Counts failed log-ins.
#[derive(Clone, Debug)]
pub struct LoginAttempts {
    table: Table,
}

/// An attempt to log in, or to confirm something with the password.
#[derive(Clone, Debug)]
pub struct LoginAttempt {
    email: Email,
    /// Failures count for one password: a new one clears them. 0 if nobody has the email.
    password_version: u64,
    /// `None` if it is unknown, or the loopback address: then only the email counts.
    source: Option<Source>,
    /// Tells it from other attempts.
    id: String,
}

impl LoginAttempt {
    /// An attempt from this source to be the user with this email, if there is one.
    #[must_use]
    pub fn new(email: Email, user: Option<&User>, source: Option<Source>) -> Self {
        let password_version = user.map(|user| user.password_version).unwrap_or_default();
        Self { email, password_version, source, id: new_id() }
    }

    /// The failures for this email from this source.
    fn here(&self) -> Counter {
        let key = Key::login_attempts(&self.email, self.password_version, self.source.as_ref());
        Counter {
            item_type: ItemType::LoginAttempts,
            key,
            max: MAX_LOGIN_FAILURES,
            window: LOGIN_WINDOW,
        }
    }

    /// The failures for this email from anywhere.
    fn anywhere(&self) -> Counter {
        let key = Key::email_attempts(&self.email, self.password_version);
        Counter {
            item_type: ItemType::EmailAttempts,
            key,
            max: MAX_FAILURES_OF_EMAIL,
            window: LOGIN_WINDOW,
        }
    }
}

fn new_id() -> String {
    // Of the last 64 bits of a UUID, all but two are random.
    format!("{:016x}", Uuid::now_v7().as_u64_pair().1)
}

/// The failures of a source for all emails.
fn of_source(source: &Source) -> Counter {
    let key = Key::source_attempts(source);
    Counter {
        item_type: ItemType::SourceAttempts,
        key,
        max: MAX_FAILURES_OF_SOURCE,
        window: LOGIN_WINDOW,
    }
}

/// A source that an email knows.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownSource {
    expires_at: i64,
}

impl LoginAttempts {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern("count a log-in attempt", "1 GetItem + 2 UpdateItem").reads(0.5).writes(2.0),
        pattern("count a log-in attempt", "1 UpdateItem")
            .case("from the loopback address")
            .writes(1.0),
        pattern("count a failed log-in, for its source", "1 UpdateItem").writes(1.0),
        pattern(
            "forget the failures after a log-in, and know its source",
            "1 DeleteItem + 1 UpdateItem + 1 PutItem",
        )
        .writes(3.0),
        pattern(
            "forget the failures, after a password that confirms something",
            "1 DeleteItem + 1 UpdateItem",
        )
        .writes(2.0),
        pattern("know where a user has changed the email or password", "1 PutItem").writes(1.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Counts an attempt before its password is checked; [`Error::TooManyLogins`] if a limit is reached.
    ///
    /// The attempt counts as failed until [`Self::succeeded`] says otherwise. Counting only afterwards
    /// would let any number of concurrent guesses through. For the source over all emails it counts only
    /// once it has [failed](Self::failed): others who log in from there must not use that up.
    pub async fn begin(&self, attempt: &LoginAttempt) -> Result<()> {
        let (here, id) = (attempt.here(), &attempt.id);
        let Some(source) = &attempt.source else { return here.count(&self.table, id).await };
        let of_source = of_source(source);
        let (counted, admitted) =
            tokio::join!(here.count(&self.table, id), of_source.check(&self.table));
        counted?;
        let admitted = match admitted {
            Ok(()) => self.count_for_email(attempt, source).await,
            refused => refused,
        };
        if admitted.is_err() {
            here.take_back(&self.table, id).await;
        }
        admitted
    }

    async fn count_for_email(&self, attempt: &LoginAttempt, source: &Source) -> Result<()> {
        match attempt.anywhere().count(&self.table, &attempt.id).await {
            Err(Error::TooManyLogins { .. }) if self.knows(attempt, source).await? => Ok(()),
            counted => counted,
        }
    }

    async fn knows(&self, attempt: &LoginAttempt, source: &Source) -> Result<bool> {
        let key = Key::known_source(&attempt.email, attempt.password_version, source);
        let known: Option<KnownSource> =
            self.table.get(ItemType::KnownSource, key, Consistency::Strong).await?;
        Ok(known.is_some_and(|known| known.expires_at > Timestamp::now().as_seconds()))
    }

    /// Counts a failed attempt for its source. It has been counted for the email. A failure to do so goes to
    /// the log.
    pub async fn failed(&self, attempt: &LoginAttempt) {
        let Some(source) = &attempt.source else { return };
        match of_source(source).count(&self.table, &attempt.id).await {
            Ok(()) | Err(Error::TooManyLogins { .. }) => {}
            Err(error) => {
                warn!(error = &error as &dyn StdError, "a failed log-in could not be counted");
            }
        }
    }

    /// Forgets the failures from this source after a log-in, and remembers the source.
    ///
    /// A user with the right password is let in even if this cannot be written at the moment; that
    /// failure goes to the log.
    pub async fn succeeded(&self, attempt: &LoginAttempt) {
        let LoginAttempt { email, password_version, source, .. } = attempt;
        let know = self.know(email, *password_version, source.as_ref());
        tokio::join!(self.forget(attempt), know);
    }

    /// Forgets the failures from this source, after the right password. Those from other sources stay: what
    /// the owner does must not give a stranger more guesses.
    pub async fn forget(&self, attempt: &LoginAttempt) {
        let (here, anywhere) = (attempt.here(), attempt.anywhere());
        let take_back = async {
            if attempt.source.is_some() {
                anywhere.take_back(&self.table, &attempt.id).await;
            }
        };
        let (forgotten, ()) = tokio::join!(here.forget(&self.table), take_back);
        if let Err(error) = forgotten {
            warn!(error = &error as &dyn StdError, "the failed log-ins could not be forgotten");
        }
    }

    /// Remembers the source in which users have just changed their email or password.
    pub async fn know_source(&self, user: &User, source: Option<&Source>) {
        self.know(&user.email, user.password_version, source).await;
    }

    async fn know(&self, email: &Email, password_version: u64, source: Option<&Source>) {
        let Some(source) = source else { return };
        if let Err(error) = self.put_known(email, password_version, source).await {
            warn!(error = &error as &dyn StdError, "the source of a user could not be remembered");
        }
    }

    async fn put_known(&self, email: &Email, password_version: u64, source: &Source) -> Result<()> {
        let until = Timestamp::now().as_seconds() + SOURCE_KNOWN_FOR.as_secs().cast_signed();
        let mut item = Item::from(Key::known_source(email, password_version, source));
        item.insert(TYPE.to_owned(), string(ItemType::KnownSource));
        item.insert(EXPIRES_AT.to_owned(), number(until));
        let put = self.table.client.put_item().table_name(&self.table.name);
        put.set_item(Some(item)).send().await?;
        Ok(())
    }
}
