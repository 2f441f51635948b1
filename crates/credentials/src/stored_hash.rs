use storefront_core::PasswordHash;

use crate::argon2_hash::{self, Argon2Hash};
use crate::bcrypt_hash::BcryptHash;
use crate::{Error, Result};

/// Why no password can be compared with a stored hash. Says nothing of the hash itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnverifiableHash {
    /// It does not begin as the kinds that are known do.
    #[error("it is neither argon2 in the PHC string format nor bcrypt of version 2a, 2b or 2y")]
    UnknownKind,
    /// It begins so, and does not go on so.
    #[error("it is cut off or garbled")]
    Malformed,
    /// `$2x$` says that it was made by a version of `crypt_blowfish` that got some characters wrong.
    #[error("it was made by a faulty bcrypt (version 2x)")]
    SignExtended,
    /// Its maker put a key beside the password.
    #[error("it was made with a key or with data beside the password")]
    Keyed,
    /// Whoever logs in could keep the function busy with it.
    #[error(
        "verifying it is too costly: bcrypt has a cost of 14 at most; argon2 fills 256 MiB at most, \
         and 1 GiB in all passes"
    )]
    TooCostly,
}

/// Whether passwords can be compared with this hash: for whoever puts users into the table.
pub fn check_verifiable(hash: &PasswordHash) -> Result<(), UnverifiableHash> {
    StoredHash::parse(hash.as_str()).map(drop)
}

/// A stored hash that may be verified. There is no debug output to show it.
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

    /// The hash of a password that nobody has, at the same cost as everybody's.
    pub(crate) fn nobodys() -> Self {
        Self::parse(argon2_hash::NOBODYS_HASH).expect("it is as ours are")
    }

    /// Whether it is this password's. Takes a processor, as long as its maker wanted.
    pub(crate) fn verify(&self, password: &[u8]) -> Result<bool> {
        match self {
            Self::Argon2(hash) => hash.verify(password).map_err(Error::Verify),
            Self::Bcrypt(hash) => {
                hash.verify(password).map_err(|_| UnverifiableHash::Malformed.into())
            }
        }
    }

    /// Whether one of today's should take its place, whose password this was found to be.
    pub(crate) fn is_outdated_for(&self, password: &[u8]) -> bool {
        match self {
            Self::Argon2(hash) => !hash.is_todays(),
            Self::Bcrypt(_) => BcryptHash::covers(password),
        }
    }
}

#[cfg(test)]
mod tests;
