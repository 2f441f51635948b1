//! Requests that a client may repeat: the same key with the same content has its effect once.

use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::change::number;
use crate::openapi::openapi;
use crate::schema::{self, Item, ItemType, Key};
use crate::table::Consistency;
use crate::{Error, Result, Table, Timestamp, UserId};

/// How long a key belongs to the request it was first sent with: 24 hours, in seconds.
const KEPT_FOR: i64 = 24 * 60 * 60;

/// The client's key for one request: 1 to 255 visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The text is not 1 to 255 visible ASCII characters.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

openapi!(
    IdempotencyKey =
        crate::openapi::string("The client's name for this request: visible ASCII characters")
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]+$"))
            .examples(["6f1c2d9e-order-17"])
);

/// The result of a request that has its effect once, however often it is sent.
#[derive(Clone, Debug)]
pub struct Once<T> {
    /// What the request created or changed, in its current state.
    pub value: T,
    /// Whether an earlier request with the same idempotency key did it, and so nothing was written.
    pub replayed: bool,
}

/// A request with a key. Keys belong to their user: two users may choose the same one.
#[derive(Clone, Debug)]
pub(crate) struct KeyedRequest {
    pub(crate) user_id: UserId,
    pub(crate) key: IdempotencyKey,
    hash: String,
}

/// What the table remembers about a request with a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IdempotencyRecord {
    /// What the request created or changed.
    result_id: Uuid,
    request_hash: String,
    expires_at: i64,
}

impl KeyedRequest {
    /// A request to do `operation` with this content. The content is what the repositories make of
    /// it, so that the same request written in another way is the same request.
    pub(crate) fn new(
        user_id: UserId,
        key: IdempotencyKey,
        operation: &str,
        content: &impl Serialize,
    ) -> Result<Self> {
        let content = serde_json::to_vec(&(operation, content))
            .map_err(|error| Error::Item(error.to_string()))?;
        Ok(Self { user_id, key, hash: URL_SAFE_NO_PAD.encode(Sha256::digest(content)) })
    }

    /// The key of its record.
    pub(crate) fn record_key(&self) -> Key {
        Key::idempotency(self.user_id, &self.key)
    }

    /// Builds a put of its record, as the last action of what it does. The action fails if there is
    /// a live record, which [`Self::earlier_result`] reads.
    pub(crate) fn action(
        &self,
        table: &Table,
        result_id: impl Into<Uuid>,
        now: Timestamp,
    ) -> Result<TransactWriteItem> {
        let key = self.record_key();
        let record = IdempotencyRecord {
            result_id: result_id.into(),
            request_hash: self.hash.clone(),
            expires_at: now.as_seconds() + KEPT_FOR,
        };
        let put = Put::builder()
            .table_name(&table.name)
            .set_item(Some(schema::item(ItemType::Idempotency, key, None, &record)?))
            .condition_expression("attribute_not_exists(PK) OR expiresAt <= :now")
            .expression_attribute_values(":now", number(now.as_seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Returns what this request created or changed earlier, read with strong consistency. For a
    /// rejection whose reason may be that very request.
    pub(crate) async fn earlier_now<T: TryFrom<Uuid>>(&self, table: &Table) -> Result<Option<T>> {
        let record = table.get_item(self.record_key(), Consistency::Strong).await?;
        let earlier = record.map(|record| self.earlier_result(record, Timestamp::now()));
        Ok(earlier.transpose()?.flatten())
    }

    /// Returns what this request created or changed earlier, given the record of its key; `None` if
    /// that has expired. TTL removes an expired item within days, not immediately.
    ///
    /// Rejects a key that was used for another request ([`Error::IdempotencyKeyReused`]).
    pub(crate) fn earlier_result<T: TryFrom<Uuid>>(
        &self,
        record: Item,
        now: Timestamp,
    ) -> Result<Option<T>> {
        earlier_result(record, &self.hash, now)
    }
}

/// Returns what an earlier request with the same key created or changed, given how the record's
/// action failed, if it did.
pub(crate) fn earlier<T: TryFrom<Uuid>>(
    keyed: Option<&KeyedRequest>,
    failed: Option<Option<Item>>,
    now: Timestamp,
) -> Result<Option<T>> {
    match (keyed, failed.flatten()) {
        (Some(request), Some(record)) => request.earlier_result(record, now),
        _ => Ok(None),
    }
}

/// Does what [`KeyedRequest::earlier_result`] does, for a request with this hash.
pub(crate) fn earlier_result<T: TryFrom<Uuid>>(
    record: Item,
    hash: &str,
    now: Timestamp,
) -> Result<Option<T>> {
    let record: IdempotencyRecord = schema::entity(ItemType::Idempotency, record)?;
    if record.expires_at <= now.as_seconds() {
        return Ok(None);
    }
    if record.request_hash != hash {
        return Err(Error::IdempotencyKeyReused);
    }
    let id = record.result_id.try_into();
    id.map(Some).map_err(|_| Error::Item("an idempotency record without a valid id".to_owned()))
}

impl IdempotencyKey {
    /// The key as the client sent it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({})", self.0)
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=255).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }
}
