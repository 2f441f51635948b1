//! Passwords and access tokens.
//!
//! [`Password`] hashes and verifies off the async executor; [`SigningKeys`] hold the secret that
//! [`access_token`] signs and verifies with.

pub mod access_token;

mod error;
mod hs256;
mod password;
mod signing_key;

pub use error::{Error, Result};
pub use password::{InvalidPassword, Password};
pub use signing_key::{SigningKey, SigningKeys};
