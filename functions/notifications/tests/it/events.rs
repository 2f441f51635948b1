//! Events made by hand.

use serde_json::{Value, json};
use storefront_core::{Timestamp, UserId};

pub(crate) const ORDER: &str = "01930000-0000-7000-8000-000000000201";

/// An order of this customer was paid at this time, with this version.
pub(crate) fn paid(user_id: UserId, version: u64, changed_at: Timestamp) -> Value {
    json!({
        "version": "0",
        "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
        "detail-type": "OrderStatusChanged",
        "source": "storefront.orders",
        "account": "123456789012",
        "time": "2026-11-22T09:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail": {
            "eventId": format!("{ORDER}:{version}"),
            "orderId": ORDER,
            "userId": user_id,
            "number": "278C-S300-00G1",
            "status": "paid",
            "payment": "paid",
            "refundedAmount": 0,
            "total": 3780,
            "currency": "EUR",
            "version": version,
            "previousStatus": "pending",
            "changedAt": changed_at,
        },
    })
}
