//! The repositories against an embedded DynamoDB with the table of template.yaml.
//!
//! A new entity gets its own module, and a line in each function of this file.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod access_patterns;
mod before_0_2;
mod concurrency;
mod contention;
mod items;
mod mails;
mod odd_items;
mod orders;
mod products;
mod projection;
mod shop;
mod users;

/// Puts items of every type into a shop.
async fn put_examples(shop: &shop::Shop) {
    users::put_examples(shop).await;
    products::put_example(shop).await;
    orders::put_example(shop).await;
    mails::put_examples(shop).await;
}

/// Measures every access pattern.
async fn measure(costs: &mut access_patterns::Costs) {
    users::measure(costs).await;
    products::measure(costs).await;
    orders::measure(costs).await;
    mails::measure(costs).await;
}
