//! Invariants of the whole shop, whatever its clients and `DynamoDB` do.
//!
//! The functions' own tests check one function and one request at a time. The tests of this crate
//! run all functions over one table, with concurrent clients, and check the answers and the whole
//! table against the invariants. This library only contains the shop that they share.

#![allow(clippy::missing_panics_doc, clippy::expect_used, reason = "a test has no better answer")]

mod shop;

pub use shop::{PASSWORD, Shop, signing_key};
