//! What version 0.1 left in a table: everything that serves the move from it is in this module, and
//! in `storefront-ops upgrade`.
//!
//! Both go in the version after 0.2, together with the zero that they leave in products.

pub(crate) mod idempotency;
mod orders;
mod stock;
mod texts;
mod upgrade;

pub(crate) use orders::payment;
pub use orders::{OrderUpgrade, needed_by_order, upgrade_order};
pub(crate) use stock::{move_stock, refuse_to_sell};
pub use texts::{
    TextUpgrade, needed_by_product_texts, needed_by_user, upgrade_product_texts, upgrade_user,
};
pub use upgrade::{Upgrade, delete_orphan, is_orphan, needed_by, upgrade};
