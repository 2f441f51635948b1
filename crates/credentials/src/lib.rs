//! Passwords and access tokens.
//!
//! [`Password`] hashes and verifies off the async executor; [`SigningKeys`] hold the secret that
//! [`access_token`] signs and verifies with, through its rotations.

pub mod access_token;

mod argon2id;
mod error;
mod hs256;
mod password;
mod secret;
mod signing_key;
mod signing_keys;

pub use error::{Error, Result};
pub use password::{InvalidPassword, Password};
pub use signing_key::SigningKey;
pub use signing_keys::{NotVerified, SigningKeys};
