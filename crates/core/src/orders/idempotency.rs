use std::fmt;
use std::str::FromStr;

use aws_sdk_dynamodb::types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::NewOrderItem;
use crate::change::number;
use crate::openapi::openapi;
use crate::schema::{self, ItemType, Key};
use crate::{OrderId, Result, Table, Timestamp, UserId};

/// How long a key belongs to the order it was first sent with: 24 hours, in seconds.
const KEPT_FOR: i64 = 24 * 60 * 60;

/// The client's key for one attempt to order: 1 to 255 visible ASCII characters.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// The text is not 1 to 255 visible ASCII characters.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

openapi!(
    IdempotencyKey =
        crate::openapi::string("The client's name for this order: visible ASCII characters",)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]+$"))
            .examples(["6f1c2d9e-order-17"])
);

/// What the table remembers about an order that was placed with a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdempotencyRecord {
    pub(super) order_id: OrderId,
    pub(super) request_hash: String,
    expires_at: i64,
}

impl IdempotencyRecord {
    pub(super) fn new(order_id: OrderId, request_hash: String, now: Timestamp) -> Self {
        Self { order_id, request_hash, expires_at: now.as_seconds() + KEPT_FOR }
    }

    /// Whether it still counts. TTL removes an expired item within days, not immediately.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at > now.as_seconds()
    }

    /// Builds a put of the record, which fails if there is a live one.
    pub(super) fn into_action(
        self,
        table: &Table,
        user_id: UserId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<TransactWriteItem> {
        let item =
            schema::item(ItemType::Idempotency, Key::idempotency(user_id, key), None, &self)?;
        let put = Put::builder()
            .table_name(&table.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK) OR expiresAt <= :now")
            .expression_attribute_values(":now", number(now.as_seconds()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// Hashes the content of an order. The items are merged before, so that the same order written in
/// another way has the same hash.
pub(super) fn request_hash(items: &[NewOrderItem], expected_total: Option<u64>) -> String {
    let mut hash = Sha256::new();
    for item in items {
        hash.update(item.product_id.as_bytes());
        hash.update(item.quantity.to_be_bytes());
    }
    if let Some(total) = expected_total {
        hash.update(total.to_be_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
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
