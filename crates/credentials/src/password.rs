use std::fmt;
use std::str::FromStr;

use storefront_core::PasswordHash;
use zeroize::Zeroizing;

use crate::stored_hash::StoredHash;
use crate::turn::in_turn;
use crate::{Error, Result, argon2_hash};

/// A password for a user to have from now on: 8 to 128 characters. It is wiped from memory when
/// dropped, and no debug output shows it.
#[derive(Clone)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(
    value_type = String, format = Password, min_length = 8, max_length = 128,
    description = "8 to 128 characters", examples("storefront-demo"),
))]
pub struct Password(Secret);

/// What somebody says is their password: 1 to 1,024 characters. Users who come from elsewhere may
/// have shorter ones and longer ones than anybody gets here. Wiped and hidden like a [`Password`].
#[derive(Clone)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(
    value_type = String, format = Password, min_length = 1, max_length = 1024,
    description = "1 to 1,024 characters", examples("storefront-demo"),
))]
pub struct GivenPassword(Secret);

/// The text is too short or too long for a password.
#[derive(Debug, thiserror::Error)]
#[error("must be 8 to 128 characters")]
pub struct InvalidPassword;

/// The text is no password that anybody may have.
#[derive(Debug, thiserror::Error)]
#[error("must be 1 to 1024 characters")]
pub struct InvalidGivenPassword;

type Secret = Zeroizing<String>;

impl Password {
    /// In characters. Anything shorter is too easily guessed.
    pub const MIN_LENGTH: usize = 8;

    /// In characters. Long enough for any passphrase; beyond it lies only work for us.
    pub const MAX_LENGTH: usize = 128;

    /// Hashes the password, off the async executor.
    pub async fn hash(self) -> Result<PasswordHash> {
        hash(self.0).await
    }
}

impl GivenPassword {
    /// In characters.
    pub const MAX_LENGTH: usize = 1024;

    /// Whether it is the password of this hash, which may be from elsewhere. Off the async executor.
    pub async fn verify(self, hash: &PasswordHash) -> Result<bool> {
        self.verify_stored(StoredHash::parse(hash.as_str())?).await
    }

    /// Takes as long as [`Self::verify`] with a hash of today's, and is never right: for an email that
    /// no user has, so that the time of an answer does not tell which emails are known.
    pub async fn verify_absent(self) -> Result<bool> {
        self.verify_stored(StoredHash::nobodys()).await.map(|_| false)
    }

    /// A hash of today's to take the place of this one, whose password it was found to be; `None`
    /// where this one is to stay.
    ///
    /// It stays where it is of today's itself, and where it says too little of the password: bcrypt
    /// looks at the first 72 bytes only, and what was mistyped after them must not become the
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
    async fn a_hash_of_ours_is_not_renewed() {
        let hash = password("correct horse").hash().await.unwrap();
        assert!(given("correct horse").renew(&hash).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn no_password_is_that_of_an_absent_user() {
        assert!(!given("correct horse").verify_absent().await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_hash_that_is_none_is_an_error_and_not_a_wrong_password() {
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
    fn what_is_given_may_be_shorter_and_longer_than_a_new_password() {
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
