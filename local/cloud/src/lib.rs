//! The local cloud: the whole suite in one process, for development and tests.
//!
//! It reads the table, the routes, the authorizer and the triggers from `template.yaml`, and calls
//! the functions' own services with the events that AWS would send. So what runs here is what is
//! deployed, and what is missing in the template does not work here either.

pub mod cli;
pub mod console;
pub mod function;
pub mod seed;

mod asynchronous;
mod clock;
mod cloud;
mod data_dir;
mod dynamodb;
mod error;
mod events;
mod gateway;
mod guard;
mod local_api;
mod mail;
mod parameters;
mod pattern;
mod queue;
mod rule;
mod s3;
mod schedule;
mod server;
mod stop;
mod stream;
#[cfg(test)]
mod tests;

pub use cloud::{LocalCloud, Options};
pub use error::Error;
pub use events::KEPT_EVENTS;
pub use mail::KEPT_MAILS;

/// The name of the table and of the event bus.
pub const TABLE_NAME: &str = "storefront";

/// Signs the local cloud's access tokens. Used nowhere else.
pub const TOKEN_SECRET: &str = "storefront-local-token-secret-not-for-production";

/// The account in events.
const ACCOUNT: &str = "000000000000";

/// The region in events.
const REGION: &str = "eu-central-1";
