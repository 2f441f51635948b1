//! Passwords: a hash that the shop can verify is loaded as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};
use storefront_core::PasswordHash;
use storefront_credentials::{UnverifiableHash, check_verifiable};

/// The beginning of the shop's own hashes.
const OWN: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// Returns the hash if the shop can verify it.
pub(super) fn usable(text: &str) -> Result<PasswordHash, UnverifiableHash> {
    let hash = PasswordHash::new(text.to_owned());
    check_verifiable(&hash)?;
    Ok(hash)
}

/// Whether the shop itself has replaced the old hash with the new one at a log-in: the new one is
/// its own, and the old one is not.
pub(crate) fn is_renewed(old: &str, new: &str) -> bool {
    !old.starts_with(OWN) && new.starts_with(OWN) && usable(new).is_ok()
}

/// Returns a hash without a known password, so that verifying any password takes the usual time and
/// fails.
///
/// An attacker can compute the hash, but would still have to find a password that matches it.
pub(super) fn locked(legacy_id: &str) -> PasswordHash {
    let digest = Sha256::new().chain_update("no password\0").chain_update(legacy_id).finalize();
    let output = STANDARD_NO_PAD.encode(digest);
    let salt = &output[..22];
    // The last character of a salt of 16 bytes has only two significant bits.
    let salt = format!("{}A", &salt[..21]);
    PasswordHash::new(format!("{OWN}{salt}${output}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_usable_but_plain_passwords_are_not() {
        let bcrypt = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        assert_eq!(usable(bcrypt).unwrap().as_str(), bcrypt);
        for text in ["", "hunter2", "5f4dcc3b5aa765d61d8327deb882cf99"] {
            assert_eq!(usable(text), Err(UnverifiableHash::UnknownKind), "{text}");
        }
    }

    #[tokio::test]
    async fn a_hash_is_renewed_if_the_shops_own_replaces_another() {
        let password: storefront_credentials::Password = "correct horse".parse().unwrap();
        let own = password.hash().await.unwrap();
        let bcrypt = "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
        assert!(is_renewed(bcrypt, own.as_str()));
        assert!(!is_renewed(own.as_str(), bcrypt));
        assert!(!is_renewed(own.as_str(), locked("17").as_str()), "the old hash is current");
        assert!(!is_renewed(bcrypt, OWN), "the new hash is truncated");
    }

    #[test]
    fn a_locked_hash_is_stable_and_differs_between_users() {
        assert_eq!(locked("17"), locked("17"));
        assert_ne!(locked("17"), locked("18"));
        assert_eq!(check_verifiable(&locked("17")), Ok(()));
    }
}
