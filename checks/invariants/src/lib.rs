//! The whole shop under faults and contention, checked against what must always hold.
//!
//! The API functions' own tests look at one function and one request at a time. The tests of this
//! crate drive all of them over one table, many clients at once, and look at what is left.

#![allow(clippy::missing_panics_doc, clippy::expect_used, reason = "a test has no better answer")]

mod ledger;
mod shop;
mod snapshot;

pub use ledger::{Deed, Ledger, Moment, UserChange};
pub use shop::{PASSWORD, Shop};
pub use snapshot::{Snapshot, assert_none};
