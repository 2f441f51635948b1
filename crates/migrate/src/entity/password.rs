//! Passwords are carried over as the hashes that the shop can verify.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};
use storefront_core::PasswordHash;

/// The length of a bcrypt hash: a version, a cost, 22 characters of salt and 31 of output.
const BCRYPT: usize = 60;

/// The hash, if it is one that the shop can verify.
pub(super) fn usable(text: &str) -> Option<PasswordHash> {
    (is_argon2(text) || is_bcrypt(text)).then(|| PasswordHash::new(text.to_owned()))
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
    PasswordHash::new(format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${output}"))
}

/// The PHC string format: `$argon2id$v=19$m=…,t=…,p=…$salt$output`.
fn is_argon2(text: &str) -> bool {
    let mut parts = text.split('$');
    let starts = parts.next() == Some("")
        && parts.next().is_some_and(|name| matches!(name, "argon2id" | "argon2i" | "argon2d"));
    let rest: Vec<_> = parts.collect();
    let has_version = rest.first().is_some_and(|part| part.starts_with("v="));
    let parts = if has_version { &rest[1..] } else { &rest[..] };
    starts && parts.len() == 3 && parts.iter().all(|part| !part.is_empty())
}

fn is_bcrypt(text: &str) -> bool {
    let is_known = ["$2a$", "$2b$", "$2y$"].iter().any(|version| text.starts_with(version));
    is_known && text.len() == BCRYPT && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argon2_and_bcrypt_are_usable() {
        for text in [
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$b3V0cHV0b3V0cHV0",
            "$argon2i$m=4096,t=3,p=1$c2FsdHNhbHQ$b3V0cHV0",
            "$2y$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
        ] {
            assert_eq!(usable(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn others_and_plain_passwords_are_not() {
        for text in [
            "",
            "hunter2",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "pbkdf2_sha256$260000$salt$hash",
            "$2y$10$short",
            "$argon2id$v=19$m=19456,t=2,p=1",
            "argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$b3V0",
        ] {
            assert_eq!(usable(text), None, "{text}");
        }
    }

    #[test]
    fn a_locked_hash_is_the_same_each_time_and_another_for_another_user() {
        assert_eq!(locked("17"), locked("17"));
        assert_ne!(locked("17"), locked("18"));
        assert!(is_argon2(locked("17").as_str()));
    }
}
