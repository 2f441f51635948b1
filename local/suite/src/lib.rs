//! The suite: its functions, and the documents that are generated from them.

pub mod openapi;
