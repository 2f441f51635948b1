//! argon2, with memory that is reused.
//!
//! Each of our hashes fills 19 MiB. glibc keeps such blocks when they are freed but does not reuse them:
//! a function that allocated one for each password held 373 MB after 21 passwords, one at a time.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::password_hash::{Error, Result};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::UnverifiableHash;

/// OWASP's recommendation for argon2id: 19 MiB, 2 passes, 1 lane.
/// <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id>
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

/// The most memory that a hash from another shop may fill: that of libsodium's middle setting. PHP,
/// Python and Node.js fill a quarter of it by default.
const MAX_MEMORY_KIB: u32 = 256 * 1024;

/// The most memory that it may fill in all passes together, 27 times as much as ours. It takes about as
/// long as bcrypt's highest cost: at most a second of processor time.
const MAX_FILLED_KIB: u64 = 1024 * 1024;

/// The hash of a password that nobody has, as costly as everybody's.
pub(crate) const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3RvcmVmcm9udC1ub2JvZHk$\
                                       bm9ib2R5LWhhcy10aGlzLXBhc3N3b3JkLWF0LWFsbC4";

/// Memory that is not in use: at most one for each turn of [`in_turn`](crate::turn::in_turn).
static IDLE: Mutex<Vec<Memory>> = Mutex::new(Vec::new());

/// Larger memory is not kept: it is rarely needed, and glibc returns blocks of more than 32 MiB to the
/// system when they are freed.
const MAX_KEPT_BLOCKS: usize = 32 * 1024;

type Memory = Vec<Block>;

/// A stored hash whose variant and cost allow it to be verified.
pub(crate) struct Argon2Hash {
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

impl Argon2Hash {
    /// Parses a text that starts like an argon2 hash.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, UnverifiableHash> {
        let hash = phc::PasswordHash::new(text).map_err(|_| UnverifiableHash::Malformed)?;
        let hash = Self::try_from(hash).map_err(|_| UnverifiableHash::Malformed)?;
        let Self { params, .. } = &hash;
        // The hash does not contain the key itself. The reference implementation writes neither.
        if !params.keyid().is_empty() || !params.data().is_empty() {
            return Err(UnverifiableHash::Keyed);
        }
        let filled = u64::from(params.m_cost()) * u64::from(params.t_cost());
        if params.m_cost() > MAX_MEMORY_KIB || filled > MAX_FILLED_KIB {
            return Err(UnverifiableHash::TooCostly);
        }
        Ok(hash)
    }

    /// Whether it was made with the current parameters.
    pub(crate) fn is_current(&self) -> bool {
        let Self { algorithm, version, params, salt, output } = self;
        let costs = (params.m_cost(), params.t_cost(), params.p_cost());
        *algorithm == Algorithm::Argon2id
            && *version == Version::V0x13
            && costs == (MEMORY_KIB, PASSES, LANES)
            && salt.len() >= Salt::RECOMMENDED_LENGTH
            && output.len() == OUTPUT_BYTES
    }

    /// Whether this is the password.
    pub(crate) fn verify(&self, password: &[u8]) -> Result<bool> {
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        // The comparison takes constant time.
        Ok(output(&argon2, password, &self.salt)? == self.output)
    }
}

impl TryFrom<phc::PasswordHash> for Argon2Hash {
    type Error = Error;

    fn try_from(hash: phc::PasswordHash) -> Result<Self> {
        // A hash without a version is older than versions.
        let version = hash.version.map_or(Ok(Version::V0x10), Version::try_from)?;
        Ok(Self {
            algorithm: Algorithm::try_from(hash.algorithm.as_str())?,
            version,
            params: Params::try_from(&hash)?,
            salt: hash.salt.ok_or(Error::SaltInvalid)?,
            output: hash.hash.ok_or(Error::OutputSize)?,
        })
    }
}

/// Hashes a password with a new salt.
pub(crate) fn hash(password: &[u8]) -> Result<phc::PasswordHash> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("within argon2's bounds");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = Salt::generate();
    Ok(phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(output(&argon2, password, &salt)?),
    })
}

fn output(argon2: &Argon2<'_>, password: &[u8], salt: &[u8]) -> Result<Output> {
    let mut buffer = [0; Output::MAX_LENGTH];
    let length = argon2.params().output_len().unwrap_or(OUTPUT_BYTES);
    let output = buffer.get_mut(..length).ok_or(Error::OutputSize)?;
    with_memory(argon2.params().block_count(), |memory| {
        argon2.hash_password_into_with_memory(password, salt, &mut *output, memory)
    })?;
    Ok(Output::new(output)?)
}

/// Lends this many blocks. They may contain data of earlier hashes.
fn with_memory<T>(blocks: usize, work: impl FnOnce(&mut Memory) -> T) -> T {
    if blocks > MAX_KEPT_BLOCKS {
        return work(&mut vec![Block::new(); blocks]);
    }
    let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut memory = idle().pop().unwrap_or_default();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let result = work(&mut memory);
    idle().push(memory);
    result
}
