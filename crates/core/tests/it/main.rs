//! The repositories against an embedded DynamoDB with the table of template.yaml.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod access_patterns;
mod concurrency;
mod contention;
mod items;
mod login_attempts;
mod orders;
mod place;
mod products;
mod projection;
mod shop;
mod users;
