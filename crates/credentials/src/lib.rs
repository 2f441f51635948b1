//! Passwords and access tokens.
//!
//! [`Password`] hashes off the async executor, and [`GivenPassword`] is compared with hashes there,
//! also with those that users bring from other shops; [`SigningKeys`] hold the secret that
//! [`access_token`] signs and verifies with, through its rotations.

pub mod access_token;

mod argon2_hash;
mod bcrypt_hash;
mod error;
mod hs256;
mod password;
mod secret;
mod signing_key;
mod signing_keys;
mod stored_hash;
mod turn;

pub use error::{Error, Result};
pub use password::{GivenPassword, InvalidGivenPassword, InvalidPassword, Password};
pub use signing_key::SigningKey;
pub use signing_keys::{NotVerified, SigningKeys};
pub use stored_hash::{UnverifiableHash, check_verifiable};
