use std::fmt;
use std::str::FromStr;

use storefront_core::text;
use storefront_core::{PasswordHash, User};
use tracing::warn;
use zeroize::Zeroizing;

use crate::stored_hash::StoredHash;
use crate::turn::in_turn;
use crate::{Error, Result, argon2_hash};

/// A new password: 8 to 128 characters, none of them a control character. It is wiped from memory when
/// dropped, and debug output hides it.
///
/// It is hashed in the form of `OpaqueString` (RFC 8265): keyboards spell some characters in more than
/// one way, and nobody sees which of them was typed.
#[derive(Clone)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(
    value_type = String, format = Password, min_length = 8, max_length = 128,
    pattern = r"^[^\u0000-\u001F\u007F-\u009F]*$",
    description = "8 to 128 characters, without control characters", examples("storefront-demo"),
))]
pub struct Password(Secret);

/// A password to verify: 1 to 1,024 characters, because users from other shops may have shorter and
/// longer ones than this shop allows. It is wiped and hidden like a [`Password`].
///
/// It is tried in the form in which new passwords are hashed, and then as it was typed: other shops, and
/// version 0.1, have hashed it so.
#[derive(Clone)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(
    value_type = String, format = Password, min_length = 1, max_length = 1024,
    description = "1 to 1,024 characters", examples("storefront-demo"),
))]
pub struct GivenPassword(Forms);

#[derive(Clone)]
struct Forms {
    /// As a new password is hashed.
    prepared: Secret,
    /// As it was typed; `None` if that is the same.
    typed: Option<Secret>,
}

/// The text is too short or too long for a new password, or has control characters.
#[derive(Debug, thiserror::Error)]
#[error("must be 8 to 128 characters, without control characters")]
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

    /// Whether this is the user's password. Takes the same time if there is no user, or if the user's hash
    /// cannot be verified: then no password is right.
    pub async fn is_of(self, user: Option<&User>) -> Result<bool> {
        let Some(user) = user else { return self.verify_absent().await };
        match self.clone().verify(&user.password_hash).await {
            Err(Error::StoredHash(reason)) => {
                warn!(user_id = %user.id, %reason, "a stored password hash cannot be verified");
                self.verify_absent().await
            }
            verified => verified,
        }
    }

    /// Takes as long as [`Self::verify`] with a current hash, and is always false. For an email that no
    /// user has, so that response times do not reveal which emails are registered.
    async fn verify_absent(self) -> Result<bool> {
        self.verify_stored(StoredHash::absent()).await.map(|_| false)
    }

    /// Returns a new hash of this password, which has just been verified against the old one; `None` if
    /// the old hash must stay.
    ///
    /// It stays if it has the current parameters and is of the prepared form, and if it does not cover
    /// the whole password: bcrypt compares the first 72 bytes only, and a typing error after them must
    /// not become part of the password.
    pub async fn renew(self, hash: &PasswordHash) -> Result<Option<PasswordHash>> {
        let stored = StoredHash::parse(hash.as_str())?;
        let is_outdated = self.0.all().all(|form| stored.is_outdated_for(form.as_bytes()));
        let Forms { prepared, typed } = self.0;
        let is_of_typed_form = !is_outdated && typed.is_some() && stored.is_current() && {
            let prepared = prepared.clone();
            !in_turn(move || stored.verify(prepared.as_bytes())).await??
        };
        if is_outdated || is_of_typed_form {
            self::hash(prepared).await.map(Some)
        } else {
            Ok(None)
        }
    }

    async fn verify_stored(self, hash: StoredHash) -> Result<bool> {
        let verify = move || {
            for form in self.0.all() {
                if hash.verify(form.as_bytes())? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        in_turn(verify).await?
    }
}

impl Forms {
    fn all(&self) -> impl Iterator<Item = &Secret> {
        [&self.prepared].into_iter().chain(&self.typed)
    }
}

/// Returns a text in the form of RFC 8265, section 4.2.2: every space is U+0020, and the rest is in NFC.
fn prepared(text: &str) -> Secret {
    let is_space =
        |c: char| c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
    // As long as they may become, so that no part of them stays behind in memory.
    let mut spaced = Zeroizing::new(String::with_capacity(text.len()));
    spaced.extend(text.chars().map(|c| if is_space(c) { ' ' } else { c }));
    let mut prepared = Zeroizing::new(String::with_capacity(text.len() * text::MAX_NFC_GROWTH));
    text::push_nfc(&spaced, &mut prepared);
    prepared
}

async fn hash(password: Secret) -> Result<PasswordHash> {
    let hash = in_turn(move || argon2_hash::hash(password.as_bytes())).await?;
    Ok(PasswordHash::new(hash.map_err(Error::Hash)?.to_string()))
}

impl FromStr for Password {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let prepared = prepared(text);
        let length = prepared.chars().count();
        if (Self::MIN_LENGTH..=Self::MAX_LENGTH).contains(&length)
            && !prepared.contains(char::is_control)
        {
            Ok(Self(prepared))
        } else {
            Err(InvalidPassword)
        }
    }
}

impl FromStr for GivenPassword {
    type Err = InvalidGivenPassword;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        if (1..=Self::MAX_LENGTH).contains(&text.chars().count()) {
            let prepared = prepared(text);
            let typed = (*prepared != text).then(|| Zeroizing::new(text.to_owned()));
            Ok(Self(Forms { prepared, typed }))
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

    #[tokio::test]
    async fn a_password_is_the_same_whichever_way_it_is_typed() {
        for (one, other) in [
            ("mañana-mañana", "man\u{303}ana-man\u{303}ana"),
            ("한글한글한글한글", &"\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}".repeat(4)),
            ("correct horse", "correct\u{3000}horse"),
        ] {
            let hash = password(one).hash().await.unwrap();
            assert!(given(other).verify(&hash).await.unwrap(), "{one}");
            assert!(given(other).renew(&hash).await.unwrap().is_none(), "{one}");
            let hash = password(other).hash().await.unwrap();
            assert!(given(one).verify(&hash).await.unwrap(), "{one}");
        }
    }

    #[tokio::test]
    async fn a_hash_of_the_typed_form_is_verified_and_renewed() {
        let typed = "man\u{303}ana-man\u{303}ana";
        // As version 0.1 has hashed it.
        let old = self::hash(Zeroizing::new(typed.to_owned())).await.unwrap();
        assert!(given(typed).verify(&old).await.unwrap());
        assert!(!given("mañana-mañana").verify(&old).await.unwrap());
        let new = given(typed).renew(&old).await.unwrap().unwrap();
        assert!(given("mañana-mañana").verify(&new).await.unwrap());
        assert!(given(typed).renew(&new).await.unwrap().is_none());
    }

    #[test]
    fn a_new_password_has_no_control_characters() {
        assert!("correct\thorse".parse::<Password>().is_err());
        assert!("correct\thorse".parse::<GivenPassword>().is_ok());
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
