use std::fmt;
use std::str::FromStr;

use storefront_core::PasswordHash;
use zeroize::Zeroizing;

use crate::stored_hash::StoredHash;
use crate::turn::in_turn;
use crate::{Error, Result, argon2_hash};

/// A new password: 8 to 128 characters. It is wiped from memory when dropped, and debug output hides
/// it.
#[derive(Clone)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(
    value_type = String, format = Password, min_length = 8, max_length = 128,
    description = "8 to 128 characters", examples("storefront-demo"),
))]
pub struct Password(Secret);

/// A password to verify: 1 to 1,024 characters, because users from other shops may have shorter and
/// longer ones than this shop allows. It is wiped and hidden like a [`Password`].
#[derive(Clone)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(
    value_type = String, format = Password, min_length = 1, max_length = 1024,
    description = "1 to 1,024 characters", examples("storefront-demo"),
))]
pub struct GivenPassword(Secret);

/// The text is too short or too long for a new password.
#[derive(Debug, thiserror::Error)]
#[error("must be 8 to 128 characters")]
pub struct InvalidPassword;

/// The text is too short or too long to be anybody's password.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 1024 characters")]
pub struct InvalidGivenPassword;

type Secret = Zeroizing<String>;

impl Password {
    /// In characters. Anything shorter is too easy to guess.
    pub const MIN_LENGTH: usize = 8;

    /// In characters. Enough for any passphrase; a longer one would only cost processor time.
    pub const MAX_LENGTH: usize = 128;

    /// Hashes the password, off the async executor.
    pub async fn hash(self) -> Result<PasswordHash> {
        hash(self.0).await
    }
}

impl GivenPassword {
    /// In characters.
    pub const MAX_LENGTH: usize = 1024;

    /// Whether this is the password of the hash, which may be from another shop. Runs off the async
    /// executor.
    pub async fn verify(self, hash: &PasswordHash) -> Result<bool> {
        self.verify_stored(StoredHash::parse(hash.as_str())?).await
    }

    /// Takes as long as [`Self::verify`] with a current hash, and is always false. For an email that no
    /// user has, so that response times do not reveal which emails are registered.
    pub async fn verify_absent(self) -> Result<bool> {
        self.verify_stored(StoredHash::absent()).await.map(|_| false)
    }

    /// Returns a new hash of this password, which has just been verified against the old one; `None` if
    /// the old hash must stay.
    ///
    /// It stays if it has the current parameters, and if it does not cover the whole password: bcrypt
    /// compares the first 72 bytes only, and a typing error after them must not become part of the
    /// password.
    pub async fn renew(self, hash: &PasswordHash) -> Result<Option<PasswordHash>> {
        if StoredHash::parse(hash.as_str())?.is_outdated_for(self.0.as_bytes()) {
            self::hash(self.0).await.map(Some)
        } else {
            Ok(None)
        }
    }

    async fn verify_stored(self, hash: StoredHash) -> Result<bool> {
        in_turn(move || hash.verify(self.0.as_bytes())).await?
    }
}

async fn hash(password: Secret) -> Result<PasswordHash> {
    let hash = in_turn(move || argon2_hash::hash(password.as_bytes())).await?;
    Ok(PasswordHash::new(hash.map_err(Error::Hash)?.to_string()))
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

impl FromStr for GivenPassword {
    type Err = InvalidGivenPassword;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if (1..=Self::MAX_LENGTH).contains(&text.chars().count()) {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(InvalidGivenPassword)
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl fmt::Debug for GivenPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenPassword(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        text.parse().unwrap()
    }

    fn given(text: &str) -> GivenPassword {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_only() {
        let hash = password("correct horse").hash().await.unwrap();
        assert!(given("correct horse").verify(&hash).await.unwrap());
        assert!(!given("incorrect horse").verify(&hash).await.unwrap());
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
    async fn a_current_hash_is_not_renewed() {
        let hash = password("correct horse").hash().await.unwrap();
        assert!(given("correct horse").renew(&hash).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn no_password_is_that_of_an_absent_user() {
        assert!(!given("correct horse").verify_absent().await.unwrap());
    }

    #[tokio::test]
    async fn a_malformed_stored_hash_is_an_error_and_not_a_wrong_password() {
        for stored in ["plain text", "$argon2id$v=19$m=19456,t=2,p=1", "$scrypt$c2FsdHNhbHQ$aGFzaA"]
        {
            let hash = PasswordHash::new(stored.to_owned());
            let outcome = given("plain text").verify(&hash).await;
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
    fn a_given_password_may_be_shorter_and_longer_than_a_new_one() {
        assert!("".parse::<GivenPassword>().is_err());
        assert!("ä".parse::<GivenPassword>().is_ok());
        assert!("ä".repeat(1024).parse::<GivenPassword>().is_ok());
        assert!("ä".repeat(1025).parse::<GivenPassword>().is_err());
    }

    #[test]
    fn debug_output_hides_the_password() {
        assert!(!format!("{:?}", password("correct horse")).contains("horse"));
        assert!(!format!("{:?}", given("correct horse")).contains("horse"));
    }
}
