use std::fmt;
use std::str::FromStr;

use argon2::password_hash::phc;
use storefront_core::PasswordHash;
use zeroize::Zeroizing;

use crate::argon2id::{self, NOBODYS_HASH};
use crate::{Error, Result};

/// A password: 8 to 128 characters. It is wiped from memory when dropped, and no debug output
/// shows it.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// The text is too short or too long for a password.
#[derive(Debug, thiserror::Error)]
#[error("must be 8 to 128 characters")]
pub struct InvalidPassword;

impl Password {
    /// In characters. Anything shorter is too easily guessed.
    pub const MIN_LENGTH: usize = 8;

    /// In characters. Long enough for any passphrase; beyond it lies only work for us.
    pub const MAX_LENGTH: usize = 128;

    /// Hashes the password, off the async executor.
    pub async fn hash(self) -> Result<PasswordHash> {
        let hash = argon2id::in_turn(move |memory| argon2id::hash(self.0.as_bytes(), memory));
        Ok(PasswordHash::new(hash.await?.map_err(Error::Hash)?.to_string()))
    }

    /// Whether it is the password of this hash. Off the async executor.
    pub async fn verify(self, hash: &PasswordHash) -> Result<bool> {
        self.verify_text(hash.as_str()).await
    }

    /// Takes as long as [`Self::verify`], and is never right: for an email that no user has, so
    /// that the time of an answer does not tell which emails are known.
    pub async fn verify_absent(self) -> Result<bool> {
        self.verify_text(NOBODYS_HASH).await.map(|_| false)
    }

    async fn verify_text(self, hash: &str) -> Result<bool> {
        let hash = phc::PasswordHash::new(hash).map_err(|error| Error::StoredHash(error.into()))?;
        argon2id::in_turn(move |memory| argon2id::verify(self.0.as_bytes(), &hash, memory))
            .await?
            .map_err(Error::StoredHash)
    }
}

impl FromStr for Password {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if (Self::MIN_LENGTH..=Self::MAX_LENGTH).contains(&text.chars().count()) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(InvalidPassword)
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let hash = password("correct horse").hash().await.unwrap();
        assert!(password("correct horse").verify(&hash).await.unwrap());
        assert!(!password("incorrect horse").verify(&hash).await.unwrap());
    }

    #[tokio::test]
    async fn one_password_has_a_different_hash_each_time() {
        let first = password("correct horse").hash().await.unwrap();
        let second = password("correct horse").hash().await.unwrap();
        assert_ne!(first.as_str(), second.as_str());
    }

    #[tokio::test]
    async fn hashing_costs_what_owasp_recommends() {
        let hash = password("correct horse").hash().await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }

    #[tokio::test]
    async fn no_password_is_that_of_an_absent_user() {
        assert!(!password("correct horse").verify_absent().await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_hash_that_is_none_is_an_error_and_not_a_wrong_password() {
        for stored in ["plain text", "$argon2id$v=19$m=19456,t=2,p=1", "$scrypt$c2FsdHNhbHQ$aGFzaA"]
        {
            let hash = PasswordHash::new(stored.to_owned());
            let outcome = password("plain text").verify(&hash).await;
            assert!(matches!(outcome, Err(Error::StoredHash(_))), "{stored}");
        }
    }

    #[test]
    fn the_length_counts_characters_and_not_bytes() {
        assert!("pässwör".parse::<Password>().is_err());
        assert!("pässwörd".parse::<Password>().is_ok());
        assert!("ä".repeat(128).parse::<Password>().is_ok());
        assert!("ä".repeat(129).parse::<Password>().is_err());
    }

    #[test]
    fn debug_output_hides_the_password() {
        assert!(!format!("{:?}", password("correct horse")).contains("horse"));
    }
}
