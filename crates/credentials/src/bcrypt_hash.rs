//! bcrypt, as other shops have hashed with it.

use std::ops::RangeInclusive;

use bcrypt::{BcryptResult, HashParts};

use crate::UnverifiableHash;

/// The least that there is, and the most that is verified: each step doubles the time. By default PHP,
/// Python, Ruby and Node.js have 10 to 12, Symfony 13.
const COSTS: RangeInclusive<u32> = 4..=14;

/// bcrypt looks at no more of a password, with the NUL that it ends a shorter one with.
const LOOKED_AT_BYTES: usize = 72;

/// A stored hash that may be verified, as it is written.
pub(crate) struct BcryptHash(String);

impl BcryptHash {
    /// Reads a text that begins as such a hash.
    pub(crate) fn parse(text: &str) -> Result<Self, UnverifiableHash> {
        // The library takes any number for the cost, also one with a sign.
        let [b'$', b'2', version, b'$', b'0'..=b'9', b'0'..=b'9', b'$', ..] = text.as_bytes()
        else {
            return Err(UnverifiableHash::Malformed);
        };
        match version {
            // The same, but for defects that those who wrote them had and we have not.
            b'a' | b'b' | b'y' => {}
            // The library would verify it as if it were one of these.
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

    /// Whether it is this password's.
    pub(crate) fn verify(&self, password: &[u8]) -> BcryptResult<bool> {
        // Outputs are compared in constant time.
        let is_right = bcrypt::verify(password, &self.0)?;
        // A password is repeated up to 72 bytes, with a NUL after each. So one that says so itself
        // is another way to write a shorter one, and most who make hashes take none with a NUL.
        Ok(is_right && !password.contains(&0))
    }

    /// Whether all of the password was compared. Of a longer one the rest may be anything: it may
    /// well be mistyped.
    pub(crate) fn covers(password: &[u8]) -> bool {
        password.len() < LOOKED_AT_BYTES
    }
}
