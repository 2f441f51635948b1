//! Moves shops from real databases to an emulated table.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod broken;
mod catch_up;
mod catch_up_stock;
mod changed;
mod check;
mod events;
mod examples;
#[path = "../../examples/shop/generate/mod.rs"]
mod generate;
mod import;
mod load;
mod review;
mod source;
mod table;
mod texts;
mod verify;
mod verify_stock;
