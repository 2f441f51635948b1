//! Passwords are carried over as the hashes that the shop can verify.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};
use storefront_core::PasswordHash;
use storefront_credentials::{UnverifiableHash, check_verifiable};

/// How a hash begins that the shop has made.
const OWN: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// The hash, if it is one that the shop can verify.
pub(super) fn usable(text: &str) -> Result<PasswordHash, UnverifiableHash> {
    let hash = PasswordHash::new(text.to_owned());
    check_verifiable(&hash)?;
    Ok(hash)
}

/// Whether a new hash is what the shop itself has put in the place of an old one, when somebody logged
/// in: one of its own, where it was another's.
pub(crate) fn is_renewed(old: &str, new: &str) -> bool {
    !old.starts_with(OWN) && new.starts_with(OWN) && usable(new).is_ok()
}

/// A hash that is no password's, so that trying it takes the usual time and fails.
///
/// Whoever knows how it is made knows the hash, and would have to find a password to it.
pub(super) fn locked(legacy_id: &str) -> PasswordHash {
    let digest = Sha256::new().chain_update("no password\0").chain_update(legacy_id).finalize();
    let output = STANDARD_NO_PAD.encode(digest);
    let salt = &output[..22];
    // The last character of a salt carries two bits of 16 bytes only.
    let salt = format!("{}A", &salt[..21]);
    PasswordHash::new(format!("{OWN}{salt}${output}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_usable_and_plain_passwords_are_not() {
        let bcrypt = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        assert_eq!(usable(bcrypt).unwrap().as_str(), bcrypt);
        for text in ["", "hunter2", "5f4dcc3b5aa765d61d8327deb882cf99"] {
            assert_eq!(usable(text), Err(UnverifiableHash::UnknownKind), "{text}");
        }
    }

    #[tokio::test]
    async fn a_hash_of_the_shops_own_takes_the_place_of_another() {
        let password: storefront_credentials::Password = "correct horse".parse().unwrap();
        let own = password.hash().await.unwrap();
        let bcrypt = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        assert!(is_renewed(bcrypt, own.as_str()));
        assert!(!is_renewed(own.as_str(), bcrypt));
        assert!(!is_renewed(own.as_str(), locked("17").as_str()), "it has no reason to");
        assert!(!is_renewed(bcrypt, OWN), "it is cut off");
    }

    #[test]
    fn a_locked_hash_is_the_same_each_time_and_another_for_another_user() {
        assert_eq!(locked("17"), locked("17"));
        assert_ne!(locked("17"), locked("18"));
        assert_eq!(check_verifiable(&locked("17")), Ok(()));
    }
}
