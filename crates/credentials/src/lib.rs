//! Passwords, access tokens and refresh tokens.
//!
//! [`Password`] is a new password to hash; [`GivenPassword`] is one to verify, also against hashes that
//! users bring from other shops. Both work off the async executor. [`SigningKeys`] hold the secret
//! that signs and verifies [access tokens](access_token) and [refresh tokens](refresh_token), and follow its
//! rotations.

pub mod access_token;
pub mod refresh_token;

mod argon2_hash;
mod bcrypt_hash;
mod error;
mod hs256;
mod password;
mod secret;
mod signing_key;
mod signing_keys;
mod stored_hash;
mod token;
mod turn;

pub use error::{Error, Result};
pub use password::{GivenPassword, InvalidGivenPassword, InvalidPassword, Password};
pub use signing_key::SigningKey;
pub use signing_keys::{NotVerified, SigningKeys};
pub use stored_hash::{UnverifiableHash, check_verifiable};
pub use token::{InvalidToken, Token};
