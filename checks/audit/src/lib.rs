//! What the tests of the workspace leave as evidence, and what is checked of it.
//!
//! With `STOREFRONT_TEST_LOGS=<folder>` every test process writes there all that it logs, and which
//! secrets it used ([`evidence`]). `cargo run -p storefront-audit -- <folder>` then checks
//!
//! - that each function's role in `template.yaml` grants what the function used, and no more
//!   ([`privileges`]),
//! - that no password, token or email of the tests is in any log ([`leaks`]),
//! - that there is evidence for both: every function was called by its own tests and in the local
//!   cloud, and secrets of every kind were used.

pub mod evidence;
pub mod leaks;
pub mod privileges;

mod audit;
mod error;
mod log;

pub use audit::{Finding, audit};
pub use error::Error;
