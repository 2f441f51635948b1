use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use serde::Deserialize;

use crate::change::{number, string};
use crate::schema::{self, EXPIRES_AT, ItemType, Key, TYPE};
use crate::table::Consistency;
use crate::{Error, Result, Table, Timestamp, retry};

/// Counts attempts in one item, up to a limit within some time: failed log-ins, and mails about accounts.
pub(super) struct Counter {
    pub(super) item_type: ItemType,
    pub(super) key: Key,
    pub(super) max: usize,
    /// How long attempts count, starting from the first.
    pub(super) window: Duration,
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

/// How long [`Counter::take_back`] may take.
const TAKE_BACK_TIMEOUT: Duration = Duration::from_millis(500);

impl Counter {
    /// Counts an attempt; [`Error::TooManyLogins`] if the limit is reached.
    pub(super) async fn count(&self, table: &Table, attempt: &str) -> Result<()> {
        let now = Timestamp::now().as_seconds();
        let counted =
            retry::while_outdated(|| retry::on_contention(|| self.add(table, attempt, now))).await;
        if let Err(Error::Unavailable(_) | Error::Contention) = counted {
            self.take_back(table, attempt).await;
        }
        counted
    }

    /// Fails as [`Self::count`] does, without counting. May lag the counts by a moment.
    pub(super) async fn check(&self, table: &Table) -> Result<()> {
        let found: Option<Attempts> =
            table.get(self.item_type, self.key.clone(), Consistency::Eventual).await?;
        match found.and_then(|attempts| self.refusal(&attempts, Timestamp::now().as_seconds())) {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }

    /// Removes an attempt that may have been counted, because its password was not checked. This is
    /// best effort: what has just failed may fail again.
    pub(super) async fn take_back(&self, table: &Table, attempt: &str) {
        let removed = table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(self.key.clone().into()))
            .update_expression("DELETE attempts :attempt")
            .condition_expression("contains(attempts, :id)")
            .expression_attribute_values(":attempt", set_of(attempt))
            .expression_attribute_values(":id", string(attempt))
            .send();
        let _ = tokio::time::timeout(TAKE_BACK_TIMEOUT, removed).await;
    }

    /// Forgets all attempts.
    pub(super) async fn forget(&self, table: &Table) -> Result<()> {
        retry::on_contention(|| async {
            table
                .client
                .delete_item()
                .table_name(&table.name)
                .set_key(Some(self.key.clone().into()))
                .send()
                .await?;
            Ok(())
        })
        .await
    }

    /// Why no further attempt is let through, if the limit is reached.
    fn refusal(&self, Attempts { attempts, expires_at }: &Attempts, now: i64) -> Option<Error> {
        let live = expires_at.filter(|expires_at| *expires_at > now)?;
        let is_full = attempts.as_ref().is_some_and(|attempts| attempts.len() >= self.max);
        let retry_after = Duration::from_secs((live - now).unsigned_abs());
        is_full.then_some(Error::TooManyLogins { retry_after })
    }

    /// Returns `None` if there was an old count, which has now been removed.
    async fn add(&self, table: &Table, attempt: &str, now: i64) -> Result<Option<()>> {
        let expires_at = now + self.window.as_secs().cast_signed();
        let answer = table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(self.key.clone().into()))
            .update_expression(
                "SET #type = :type, expiresAt = if_not_exists(expiresAt, :expiresAt) \
                 ADD attempts :attempt",
            )
            .condition_expression(
                "attribute_not_exists(PK) OR contains(attempts, :id) OR (expiresAt > :now \
                 AND (attribute_not_exists(attempts) OR size(attempts) < :max))",
            )
            .expression_attribute_names("#type", TYPE)
            .expression_attribute_values(":type", string(self.item_type))
            .expression_attribute_values(":expiresAt", number(expires_at))
            .expression_attribute_values(":attempt", set_of(attempt))
            .expression_attribute_values(":id", string(attempt))
            .expression_attribute_values(":max", number(self.max))
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
        let attempts: Attempts = schema::entity(self.item_type, item)?;
        if let Some(refusal) = self.refusal(&attempts, now) {
            return Err(refusal);
        }
        self.remove(table, attempts.expires_at).await?;
        Ok(None)
    }

    /// Removes a count that has expired but not been removed by TTL yet, or that cannot be added to
    /// (`NULL` instead of a set), unless another attempt just did.
    async fn remove(&self, table: &Table, expired_at: Option<i64>) -> Result<()> {
        let delete = table
            .client
            .delete_item()
            .table_name(&table.name)
            .set_key(Some(self.key.clone().into()))
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
