//! The local cloud: the whole suite in one process, for development and tests.
//!
//! It reads `template.yaml` for the table, the routes, who is authorized, and the event source
//! mapping, and calls the functions' own services with the events that AWS would send them. So
//! what runs here is what is deployed, and what the template lacks does not work here either.

pub mod cli;
pub mod console;
pub mod function;
pub mod seed;

mod cloud;
mod data_dir;
mod error;
mod events;
mod gateway;
mod stream;

pub use cloud::{LocalCloud, Options};
pub use error::Error;
pub use events::KEPT_EVENTS;

/// The table's name, and the event bus's.
pub const TABLE_NAME: &str = "storefront";

/// Signs the access tokens of the local cloud, and of nothing else.
pub const TOKEN_SECRET: &str = "storefront-local-token-secret-not-for-production";

/// The account that events say they come from.
const ACCOUNT: &str = "000000000000";

/// The region that events say they come from.
const REGION: &str = "eu-central-1";
