//! All that a review finds, as it goes to a file.

use serde::Serialize;

use super::census::{Items, Sums};
use super::cost::{Load, Month, Prices};
use super::distribution::Distribution;
use super::findings::{EmailCollisions, Finding};
use super::hot::HotSpot;
use super::queries::Queries;

/// A review. Of rows it has keys only; of statements, none of their values.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    /// The database.
    pub(super) source: &'static str,
    pub(super) prices: Prices,
    /// What loading would write, by type.
    pub(super) items: Vec<Items>,
    pub(super) total: Sums,
    /// The item collection `USER#<id>`. Users without orders count.
    pub(super) orders_per_user: Distribution,
    /// The item collection `CATEGORY#<category>` of GSI1.
    pub(super) products_per_category: Distribution,
    /// In how many order items a product is, and the products of a category together.
    pub(super) sold_per_product: Distribution,
    pub(super) sold_per_category: Distribution,
    pub(super) hot_spots: Vec<HotSpot>,
    pub(super) size_limit: SizeLimit,
    pub(super) item_limit: ItemLimit,
    pub(super) email_collisions: EmailCollisions,
    pub(super) orders_without_user: OrdersWithoutUser,
    /// Units that loading would reject, by the rule that they break first.
    pub(super) rejects: Vec<Finding>,
    /// What loading would carry over otherwise than it is.
    pub(super) remarks: Vec<Finding>,
    pub(super) load: Load,
    pub(super) month: Month,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queries: Option<Queries>,
}

/// Items near the 400 KB that an item may have.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SizeLimit {
    pub(super) limit_bytes: u64,
    /// 80 % of it.
    pub(super) near_bytes: u64,
    pub(super) items_near: u64,
    pub(super) max_bytes: u64,
    /// About what the values of the largest rejected row take.
    pub(super) largest_reject_bytes: u64,
}

/// Orders with more items than a transaction takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemLimit {
    pub(super) limit: usize,
    pub(super) orders_over: u64,
    /// Of the orders that are over it; 0 without any.
    pub(super) most_items: usize,
}

/// Sound orders of users who are rejected.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrdersWithoutUser {
    pub(super) orders: u64,
    /// Keys of orders.
    pub(super) examples: Vec<String>,
}
