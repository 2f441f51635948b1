use std::fmt;
use std::str::FromStr;

use argon2::password_hash::phc;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use storefront_core::PasswordHash;
use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::{Error, Result};

/// A password: 8 to 128 characters. It is wiped from memory when dropped, and no debug output
/// shows it.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

/// The text is too short or too long for a password.
#[derive(Debug, thiserror::Error)]
#[error("must be 8 to 128 characters")]
pub struct InvalidPassword;

/// OWASP's recommendation for argon2id: 19 MiB, 2 passes, 1 lane.
/// <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id>
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash of a password that nobody has, at the same cost as everybody's.
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3RvcmVmcm9udC1ub2JvZHk$\
                            bm9ib2R5LWhhcy10aGlzLXBhc3N3b3JkLWF0LWFsbC4";

impl Password {
    /// In characters. Anything shorter is too easily guessed.
    pub const MIN_LENGTH: usize = 8;

    /// In characters. Long enough for any passphrase; beyond it lies only work for us.
    pub const MAX_LENGTH: usize = 128;

    /// Hashes the password, off the async executor.
    pub async fn hash(self) -> Result<PasswordHash> {
        spawn_blocking(move || {
            let hash: phc::PasswordHash =
                argon2().hash_password(self.0.as_bytes()).map_err(Error::Hash)?;
            Ok(PasswordHash::new(hash.to_string()))
        })
        .await?
    }

    /// Whether it is the password of this hash. Off the async executor.
    pub async fn verify(self, hash: &PasswordHash) -> Result<bool> {
        let hash = phc::PasswordHash::new(hash.as_str())
            .map_err(|error| Error::StoredHash(error.into()))?;
        self.verify_parsed(hash).await
    }

    /// Takes as long as [`Self::verify`], and is never right: for an email that no user has, so
    /// that the time of an answer does not tell which emails are known.
    pub async fn verify_absent(self) -> Result<bool> {
        let hash = phc::PasswordHash::new(NOBODYS_HASH)
            .map_err(|error| Error::StoredHash(error.into()))?;
        self.verify_parsed(hash).await.map(|_| false)
    }

    async fn verify_parsed(self, hash: phc::PasswordHash) -> Result<bool> {
        spawn_blocking(move || match argon2().verify_password(self.0.as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(Error::StoredHash(error)),
        })
        .await?
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("within argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
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

    #[test]
    fn nobodys_hash_costs_what_everybodys_does() {
        let hash = phc::PasswordHash::new(NOBODYS_HASH).unwrap();
        let params = Params::try_from(&hash).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (MEMORY_KIB, PASSES, LANES)
        );
        assert_eq!(hash.hash.map(|output| output.len()), Some(32));
    }

    #[tokio::test]
    async fn no_password_is_that_of_an_absent_user() {
        assert!(!password("correct horse").verify_absent().await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_hash_that_is_none_is_an_error_and_not_a_wrong_password() {
        let hash = PasswordHash::new("plain text".to_owned());
        let outcome = password("plain text").verify(&hash).await;
        assert!(matches!(outcome, Err(Error::StoredHash(_))));
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
