//! Reads sources, and writes what they have become into a table.

#![allow(clippy::unwrap_used, reason = "a test has no better answer")]

mod broken;
mod catch_up;
mod changed;
mod check;
mod examples;
#[path = "../../examples/shop/generate/mod.rs"]
mod generate;
mod import;
mod load;
mod review;
mod source;
mod table;
mod verify;
