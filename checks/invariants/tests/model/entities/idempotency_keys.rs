use std::collections::BTreeMap;

use storefront_core::{OrderId, ProductId, UserId};

use super::Model;
use super::orders::Placement;
use super::products::Product;
use super::values::idempotency_key;
use crate::engine::response::Response;
use crate::engine::table::{ANY_VALUE, TableItems, expected_item};

/// What was requested with each user's idempotency keys.
pub(crate) type IdempotencyKeys = BTreeMap<(UserId, u8), KeyedRequest>;

/// A request that had its effect, and its result.
#[derive(Clone)]
pub(crate) enum KeyedRequest {
    PlaceOrder { placement: Placement, id: OrderId },
    AddProduct { product: Product, id: ProductId },
    ChangeStock { id: ProductId, change: i64 },
    Refund { id: OrderId, amount: u64 },
}

pub(super) fn key_reused() -> Response {
    Response::problem(422, "idempotency_key_reused")
}

impl Model {
    pub(super) fn add_idempotency_items(&self, items: &mut TableItems) {
        for ((user, key), request) in &self.idempotency_keys {
            let result = match request {
                KeyedRequest::PlaceOrder { id, .. } | KeyedRequest::Refund { id, .. } => {
                    id.to_string()
                }
                KeyedRequest::AddProduct { id, .. } | KeyedRequest::ChangeStock { id, .. } => {
                    id.to_string()
                }
            };
            items.extend([expected_item(
                "Idempotency",
                &format!("IDEMPOTENCY#{user}"),
                &idempotency_key(*key),
                &[("resultId", &result), ("requestHash", ANY_VALUE), ("expiresAt", ANY_VALUE)],
            )]);
        }
    }
}
