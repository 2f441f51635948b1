//! The report of a review, as it is written to a file.

use serde::Serialize;

use super::census::{Items, Sums};
use super::cost::{Load, Month, Prices};
use super::distribution::Distribution;
use super::findings::{EmailCollisions, Finding};
use super::hot::HotSpot;
use super::queries::Queries;

/// The report of a review. It contains only the keys of rows, and statements without their values.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// The database.
    pub(super) source: &'static str,
    pub(super) prices: Prices,
    /// What a load would write, by type.
    pub(super) items: Vec<Items>,
    pub(super) total: Sums,
    /// The item collection `USER#<id>`. Users without orders count.
    pub(super) orders_per_user: Distribution,
    /// The item collection `CATEGORY#<category>` of GSI1.
    pub(super) products_per_category: Distribution,
    /// The number of order items per product.
    pub(super) sold_per_product: Distribution,
    pub(super) hot_spots: Vec<HotSpot>,
    pub(super) size_limit: SizeLimit,
    pub(super) item_limit: ItemLimit,
    pub(super) email_collisions: EmailCollisions,
    pub(super) orders_without_user: OrdersWithoutUser,
    /// Units that a load would reject, by the first rule that they break.
    pub(super) rejects: Vec<Finding>,
    /// Units that a load would change.
    pub(super) remarks: Vec<Finding>,
    pub(super) load: Load,
    pub(super) month: Month,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queries: Option<Queries>,
}

/// Items near the limit of 400 KB.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SizeLimit {
    pub(super) limit_bytes: u64,
    /// 80 % of the limit.
    pub(super) near_bytes: u64,
    pub(super) items_near: u64,
    pub(super) max_bytes: u64,
    /// The approximate size of the largest rejected row's values.
    pub(super) largest_reject_bytes: u64,
}

/// Orders with more items than a transaction can have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemLimit {
    pub(super) limit: usize,
    pub(super) orders_over: u64,
    /// The largest number of items among the orders over the limit; 0 if there are none.
    pub(super) most_items: usize,
}

/// Valid orders of rejected users.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrdersWithoutUser {
    pub(super) orders: u64,
    /// Keys of orders.
    pub(super) examples: Vec<String>,
}
