use storefront_core::PasswordHash;

use crate::argon2_hash::{self, Argon2Hash};
use crate::bcrypt_hash::BcryptHash;
use crate::{Error, Result};

/// Why a stored hash cannot be verified. Reveals nothing of the hash itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnverifiableHash {
    /// It starts like no supported kind.
    #[error("it is neither argon2 in the PHC string format nor bcrypt version 2a, 2b or 2y")]
    UnknownKind,
    /// It starts like a supported kind, but the rest does not parse.
    #[error("it is truncated or corrupted")]
    Malformed,
    /// `$2x$` marks hashes of a version of `crypt_blowfish` that processed some characters wrongly.
    #[error("it was made by a faulty bcrypt (version 2x)")]
    SignExtended,
    /// It was made with a key or associated data in addition to the password.
    #[error("it was made with a key or associated data in addition to the password")]
    Keyed,
    /// Anyone who tries to log in could keep the function busy with it.
    #[error(
        "it is too costly to verify: bcrypt may have a cost of at most 14; argon2 may fill at most \
         256 MiB, and 1 GiB in all passes"
    )]
    TooCostly,
}

/// Checks whether this hash can be verified, for programs that write users to the table.
pub fn check_verifiable(hash: &PasswordHash) -> Result<(), UnverifiableHash> {
    StoredHash::parse(hash.as_str()).map(drop)
}

/// A stored hash that can be verified. It has no debug output, which would show it.
pub(crate) enum StoredHash {
    Argon2(Argon2Hash),
    Bcrypt(BcryptHash),
}

impl StoredHash {
    pub(crate) fn parse(text: &str) -> Result<Self, UnverifiableHash> {
        let kind = text.strip_prefix('$').and_then(|rest| rest.split('$').next());
        match kind {
            Some("argon2d" | "argon2i" | "argon2id") => Argon2Hash::parse(text).map(Self::Argon2),
            Some("2a" | "2b" | "2x" | "2y") => BcryptHash::parse(text).map(Self::Bcrypt),
            _ => Err(UnverifiableHash::UnknownKind),
        }
    }

    /// Stands for the hash of a user who does not exist.
    pub(crate) fn absent() -> Self {
        Self::parse(argon2_hash::NOBODYS_HASH).expect("a hash with the current parameters")
    }

    /// Whether this is the password. Keeps a processor busy for as long as the hash's parameters say.
    pub(crate) fn verify(&self, password: &[u8]) -> Result<bool> {
        match self {
            Self::Argon2(hash) => hash.verify(password).map_err(Error::Verify),
            Self::Bcrypt(hash) => {
                hash.verify(password).map_err(|_| UnverifiableHash::Malformed.into())
            }
        }
    }

    /// Whether it has the parameters of new hashes.
    pub(crate) fn is_current(&self) -> bool {
        matches!(self, Self::Argon2(hash) if hash.is_current())
    }

    /// Whether a current hash should replace it, now that this is known to be its password.
    pub(crate) fn is_outdated_for(&self, password: &[u8]) -> bool {
        match self {
            Self::Argon2(hash) => !hash.is_current(),
            Self::Bcrypt(_) => BcryptHash::covers(password),
        }
    }
}

#[cfg(test)]
mod tests;
