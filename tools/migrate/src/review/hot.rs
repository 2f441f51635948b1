//! Which events would make a partition too hot, and at which rate.
//!
//! A partition takes 1,000 write units and 3,000 read units a second:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>. What
//! each request writes is in `docs/access-patterns.md`.

use serde::Serialize;
use storefront_core::access_patterns::AccessPattern;
use storefront_core::schema::{GSI1, ItemType, prefix};

use super::census::{Items, mean_bytes};
use super::distribution::Distribution;
use super::patterns::{ORDERS, PRODUCTS};

const WRITE_LIMIT: f64 = 1_000.0;
const READ_LIMIT: f64 = 3_000.0;

/// A page of the API's default size, and the one more item that it reads.
const PAGE: f64 = 26.0;

/// The item collection of its kind that gets the most requests.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HotSpot {
    /// What happens.
    pub(super) event: &'static str,
    /// The partition key, with the source's key or the category in it.
    pub(super) partition: String,
    /// Its share of all such events if the future is like the past; `None` if unknown.
    pub(super) share: Option<f64>,
    /// Capacity units of the partition per event.
    pub(super) units: f64,
    /// Capacity units a second of a partition.
    pub(super) limit: f64,
    /// Events a second in this partition that reach the limit.
    pub(super) per_second: f64,
    /// Events a second in the whole shop at which this partition reaches the limit.
    pub(super) of_all_per_second: Option<f64>,
}

impl HotSpot {
    fn new(
        event: &'static str,
        partition: String,
        share: Option<f64>,
        units: f64,
        limit: f64,
    ) -> Self {
        let per_second = limit / units;
        let of_all_per_second = share.filter(|share| *share > 0.0).map(|share| per_second / share);
        Self { event, partition, share, units, limit, per_second, of_all_per_second }
    }
}

/// Returns the hottest item collection of each kind.
pub(super) fn hot_spots(
    orders_per_user: &Distribution,
    products_per_category: &Distribution,
    sold_per_product: &Distribution,
    items: &[Items],
) -> Vec<HotSpot> {
    let page = |pattern: &AccessPattern, of| pattern.read.of(0.0, PAGE * mean_bytes(items, of));
    let mut spots = Vec::new();
    if let Some(user) = orders_per_user.top.first() {
        let partition = format!("{}{}", prefix::USER, user.key);
        // The order, written in a transaction. Its items are in other partitions.
        let placed = "an order is placed";
        spots.push(HotSpot::new(placed, partition.clone(), Some(user.share), 2.0, WRITE_LIMIT));
        let read = "a page of the user's orders";
        spots.push(HotSpot::new(read, partition, None, page(ORDERS, ItemType::Order), READ_LIMIT));
    }
    if let Some(product) = sold_per_product.top.first() {
        let partition = format!("{}{}", prefix::PRODUCT, product.key);
        // The stock item, written in a transaction. If the product is spread, each of its items has
        // a share of this.
        let sold = "an order item takes its stock";
        spots.push(HotSpot::new(sold, partition, Some(product.share), 2.0, WRITE_LIMIT));
    }
    if let Some(category) = products_per_category.top.first() {
        let partition = format!("{GSI1} {}{}", prefix::CATEGORY, category.key);
        let read = "a page of the category's products";
        spots.push(HotSpot::new(
            read,
            partition,
            None,
            page(PRODUCTS, ItemType::Product),
            READ_LIMIT,
        ));
    }
    spots
}
