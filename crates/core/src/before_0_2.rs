//! What version 0.1 left in a table: everything that serves the move from it is in this module.
//!
//! It goes in the version after 0.2, together with the zero that it leaves in products.

pub(crate) mod idempotency;
mod stock;

pub(crate) use stock::move_stock;
