//! Idempotency records as version 0.1 wrote them: only of orders, in the partition of their user.
//!
//! They count for 24 hours. An order that was placed by 0.1 and is sent again to 0.2 is not placed
//! twice.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::idempotency::{self, KeyedRequest};
use crate::schema::{self, Item, Key};
use crate::{NewOrderItem, OrderId, Result, Timestamp};

/// The attribute that today's records do not have.
pub(crate) const ORDER_ID: &str = "orderId";

pub(crate) fn record_key(request: &KeyedRequest) -> Key {
    let sk = format!("IDEMPOTENCY#{}", request.key.as_str());
    Key { pk: schema::user_partition(request.user_id), sk }
}

pub(crate) fn is_record(item: &Item) -> bool {
    item.contains_key(ORDER_ID)
}

/// Does what [`KeyedRequest::earlier_result`] does.
pub(crate) fn earlier_order(
    items: &[NewOrderItem],
    mut record: Item,
    now: Timestamp,
) -> Result<Option<OrderId>> {
    if let Some(id) = record.remove(ORDER_ID) {
        record.insert("resultId".to_owned(), id);
    }
    idempotency::earlier_result(record, &hash(items), now)
}

fn hash(items: &[NewOrderItem]) -> String {
    let mut hash = Sha256::new();
    for item in items {
        hash.update(item.product_id.as_bytes());
        hash.update(item.quantity.to_be_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}
