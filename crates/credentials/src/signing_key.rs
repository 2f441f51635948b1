use std::fmt;

use jsonwebtoken::{DecodingKey, EncodingKey};

use crate::{Error, Result};

/// The size of the hash (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// Signs and verifies tokens. Debug output hides it.
pub struct SigningKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

impl SigningKey {
    /// Makes the key from a secret of at least 32 bytes.
    pub fn new(secret: &str) -> Result<Self> {
        let secret = secret.as_bytes();
        if secret.len() < MIN_SECRET_BYTES {
            return Err(Error::SecretTooShort(secret.len()));
        }
        Ok(Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
        })
    }

    pub(crate) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    pub(crate) fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_could_be_guessed_is_rejected() {
        assert!(matches!(SigningKey::new(&"x".repeat(31)), Err(Error::SecretTooShort(31))));
        assert!(SigningKey::new(&"x".repeat(32)).is_ok());
    }
}
