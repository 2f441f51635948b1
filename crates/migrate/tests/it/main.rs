//! Reads sources, and writes what they have become into a table.

#![allow(clippy::unwrap_used, reason = "a test has no better answer")]

mod broken;
mod check;
mod examples;
mod source;
mod table;
