use std::collections::BTreeSet;
use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use serde::Deserialize;
use tracing::warn;
use uuid::Uuid;

use crate::access_patterns::{AccessPattern, pattern};
use crate::change::{number, string};
use crate::schema::{self, EXPIRES_AT, ItemType, Key, TYPE};
use crate::{Email, Error, Result, Table, Timestamp, retry};

/// This many failures within [`LOGIN_WINDOW`] lock the log-in of an email.
pub const MAX_LOGIN_FAILURES: usize = 10;

/// How long failures count, starting from the first.
pub const LOGIN_WINDOW: Duration = Duration::from_mins(15);

/// Counts failed log-ins per email.
#[derive(Clone, Debug)]
pub struct LoginAttempts {
    table: Table,
}

/// The attempts are ids rather than a number, because adding an id to a set twice adds it once: an
/// attempt whose answer was lost, and which the SDK retries, counts once.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attempts {
    /// DynamoDB has no empty sets: when the last id is taken back, the attribute disappears.
    attempts: Option<BTreeSet<String>>,
    expires_at: Option<i64>,
}

/// How long [`LoginAttempts::take_back`] may take.
const TAKE_BACK_TIMEOUT: Duration = Duration::from_millis(500);

impl LoginAttempts {
    pub(crate) const ACCESS_PATTERNS: &[AccessPattern] = &[
        pattern("count a log-in attempt", "1 UpdateItem").writes(1.0),
        pattern("forget the failures after a log-in", "1 DeleteItem").writes(1.0),
    ];

    /// Creates the repository for this table.
    #[must_use]
    pub fn new(table: Table) -> Self {
        Self { table }
    }

    /// Counts an attempt before its password is checked; [`Error::TooManyLogins`] if the limit is
    /// reached.
    ///
    /// The attempt counts as failed until [`Self::succeeded`] says otherwise. Counting only
    /// afterwards would let any number of concurrent guesses through.
    pub async fn begin(&self, email: &Email) -> Result<()> {
        let now = Timestamp::now().as_seconds();
        let attempt = Uuid::now_v7().to_string();
        let counted =
            retry::while_outdated(|| retry::on_contention(|| self.count(email, &attempt, now)))
                .await;
        if let Err(Error::Unavailable(_) | Error::Contention) = counted {
            self.take_back(email, &attempt).await;
        }
        counted
    }

    /// Removes an attempt that may have been counted, because its password was not checked. This is
    /// best effort: what has just failed may fail again.
    async fn take_back(&self, email: &Email, attempt: &str) {
        let removed = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .set_key(Some(Key::login_attempts(email).into()))
            .update_expression("DELETE attempts :attempt")
            .condition_expression("contains(attempts, :id)")
            .expression_attribute_values(":attempt", set_of(attempt))
            .expression_attribute_values(":id", string(attempt))
            .send();
        let _ = tokio::time::timeout(TAKE_BACK_TIMEOUT, removed).await;
    }

    /// Forgets the failures of an email after a successful log-in.
    ///
    /// A user with the right password is let in even if this cannot be written at the moment; that
    /// failure goes to the log.
    pub async fn succeeded(&self, email: &Email) {
        let forgotten = retry::on_contention(|| async {
            self.table
                .client
                .delete_item()
                .table_name(&self.table.name)
                .set_key(Some(Key::login_attempts(email).into()))
                .send()
                .await?;
            Ok(())
        });
        if let Err(error) = forgotten.await {
            warn!(error = &error as &dyn StdError, "the failed log-ins could not be forgotten");
        }
    }

    /// Returns `None` if there was an old count, which has now been removed.
    async fn count(&self, email: &Email, attempt: &str, now: i64) -> Result<Option<()>> {
        let expires_at = now + LOGIN_WINDOW.as_secs().cast_signed();
        let answer = self
            .table
            .client
            .update_item()
            .table_name(&self.table.name)
            .set_key(Some(Key::login_attempts(email).into()))
            .update_expression(
                "SET #type = :type, expiresAt = if_not_exists(expiresAt, :expiresAt) \
                 ADD attempts :attempt",
            )
            .condition_expression(
                "attribute_not_exists(PK) OR contains(attempts, :id) OR (expiresAt > :now \
                 AND (attribute_not_exists(attempts) OR size(attempts) < :max))",
            )
            .expression_attribute_names("#type", TYPE)
            .expression_attribute_values(":type", string(ItemType::LoginAttempts.as_str()))
            .expression_attribute_values(":expiresAt", number(expires_at))
            .expression_attribute_values(":attempt", set_of(attempt))
            .expression_attribute_values(":id", string(attempt))
            .expression_attribute_values(":max", number(MAX_LOGIN_FAILURES))
            .expression_attribute_values(":now", number(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let Err(error) = answer else { return Ok(Some(())) };
        let Some(UpdateItemError::ConditionalCheckFailedException(failed)) =
            error.as_service_error()
        else {
            return Err(error.into());
        };
        let Some(item) = failed.item.clone() else { return Ok(None) };
        let attempts: Attempts = schema::entity(ItemType::LoginAttempts, item)?;
        let live = attempts.expires_at.filter(|expires_at| *expires_at > now);
        let failures = attempts.attempts.map_or(0, |attempts| attempts.len());
        if let Some(expires_at) = live.filter(|_| failures >= MAX_LOGIN_FAILURES) {
            let retry_after = Duration::from_secs((expires_at - now).unsigned_abs());
            return Err(Error::TooManyLogins { retry_after });
        }
        self.remove(email, attempts.expires_at).await?;
        Ok(None)
    }

    /// Removes a count that has expired but not been removed by TTL yet, or that cannot be added to
    /// (`NULL` instead of a set), unless another attempt just did.
    async fn remove(&self, email: &Email, expired_at: Option<i64>) -> Result<()> {
        let delete = self
            .table
            .client
            .delete_item()
            .table_name(&self.table.name)
            .set_key(Some(Key::login_attempts(email).into()))
            .expression_attribute_names("#expiresAt", EXPIRES_AT);
        let delete = match expired_at {
            Some(expired_at) => delete
                .condition_expression("#expiresAt = :expiredAt")
                .expression_attribute_values(":expiredAt", number(expired_at)),
            None => delete
                .condition_expression("attribute_not_exists(#expiresAt) OR #expiresAt = :null")
                .expression_attribute_values(":null", AttributeValue::Null(true)),
        };
        match delete.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(error.into()),
            },
        }
    }
}

fn set_of(attempt: &str) -> AttributeValue {
    AttributeValue::Ss(vec![attempt.to_owned()])
}
