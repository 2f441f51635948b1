//! bcrypt hashes from other shops.

use std::ops::RangeInclusive;

use bcrypt::{BcryptResult, HashParts};

use crate::UnverifiableHash;

/// From bcrypt's minimum to the highest cost that is verified; each step doubles the time. PHP, Python,
/// Ruby and Node.js use 10 to 12 by default, Symfony 13.
const COSTS: RangeInclusive<u32> = 4..=14;

/// bcrypt uses only this much of a password. A shorter one counts with the NUL that ends it.
const SIGNIFICANT_BYTES: usize = 72;

/// The text of a stored hash that can be verified.
pub(crate) struct BcryptHash(String);

impl BcryptHash {
    /// Parses a text that starts like a bcrypt hash.
    pub(crate) fn parse(text: &str) -> Result<Self, UnverifiableHash> {
        // The library would accept any number as the cost, even with a sign.
        let [b'$', b'2', version, b'$', b'0'..=b'9', b'0'..=b'9', b'$', ..] = text.as_bytes()
        else {
            return Err(UnverifiableHash::Malformed);
        };
        match version {
            // These differ only in defects of old implementations, which ours does not have.
            b'a' | b'b' | b'y' => {}
            // The library would verify it as if it were one of the above.
            b'x' => return Err(UnverifiableHash::SignExtended),
            _ => return Err(UnverifiableHash::Malformed),
        }
        let parts: HashParts = text.parse().map_err(|_| UnverifiableHash::Malformed)?;
        match parts.get_cost() {
            cost if cost < *COSTS.start() => Err(UnverifiableHash::Malformed),
            cost if cost > *COSTS.end() => Err(UnverifiableHash::TooCostly),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// Whether this is the password.
    pub(crate) fn verify(&self, password: &[u8]) -> BcryptResult<bool> {
        // The comparison takes constant time.
        let is_right = bcrypt::verify(password, &self.0)?;
        // bcrypt repeats a password up to 72 bytes, with a NUL after each repetition. So a password
        // that contains such repetitions would match the hash of the shorter one. No right password is
        // lost: most implementations accept none with a NUL.
        Ok(is_right && !password.contains(&0))
    }

    /// Whether the whole password was compared. The rest of a longer one may be anything, for example
    /// mistyped.
    pub(crate) fn covers(password: &[u8]) -> bool {
        password.len() < SIGNIFICANT_BYTES
    }
}
