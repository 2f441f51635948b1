//! argon2id, in memory that is used again.
//!
//! Each hash fills 19 MiB. glibc keeps such blocks when they are freed and does not find them again:
//! a function that allocated one for each password had 373 MB after 21 of them, one at a time.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread::available_parallelism;

use argon2::password_hash::phc::{self, Output, ParamsString, Salt};
use argon2::password_hash::{Error, Result};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, spawn_blocking};

/// OWASP's recommendation for argon2id: 19 MiB, 2 passes, 1 lane.
/// <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id>
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash of a password that nobody has, at the same cost as everybody's.
pub(crate) const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3RvcmVmcm9udC1ub2JvZHk$\
                                       bm9ib2R5LWhhcy10aGlzLXBhc3N3b3JkLWF0LWFsbC4";

/// A hash keeps a processor busy: with more at once than there are processors, all of them take
/// longer, and each has memory of its own.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, usize::from)));

/// Memory that nobody hashes in at the moment; never more than there are turns.
static IDLE: Mutex<Vec<Memory>> = Mutex::new(Vec::new());

pub(crate) type Memory = Vec<Block>;

/// Does what takes a processor and memory for a hash, off the async executor.
pub(crate) async fn in_turn<T: Send + 'static>(
    work: impl FnOnce(&mut Memory) -> T + Send + 'static,
) -> std::result::Result<T, JoinError> {
    spawn_blocking(move || {
        // It waits here, and not before: a runtime whose clock is paused leaps ahead when all of its
        // tasks wait for what others do, but not while there is blocking work.
        let _turn = Handle::current().block_on(TURNS.acquire()).expect("it is never closed");
        let idle = || IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut memory = idle().pop().unwrap_or_default();
        let result = work(&mut memory);
        idle().push(memory);
        result
    })
    .await
}

/// Hashes with a new salt.
pub(crate) fn hash(password: &[u8], memory: &mut Memory) -> Result<phc::PasswordHash> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("within argon2's bounds");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = Salt::generate();
    Ok(phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(output(&argon2, password, &salt, memory)?),
    })
}

/// Whether the hash is this password's. It says itself at what cost it was made.
pub(crate) fn verify(
    password: &[u8],
    hash: &phc::PasswordHash,
    memory: &mut Memory,
) -> Result<bool> {
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(algorithm, version, Params::try_from(hash)?);
    let salt = hash.salt.ok_or(Error::SaltInvalid)?;
    let expected = hash.hash.ok_or(Error::OutputSize)?;
    // Outputs are compared in constant time.
    Ok(output(&argon2, password, &salt, memory)? == expected)
}

fn output(
    argon2: &Argon2<'_>,
    password: &[u8],
    salt: &[u8],
    memory: &mut Memory,
) -> Result<Output> {
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let mut buffer = [0; Output::MAX_LENGTH];
    let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let output = buffer.get_mut(..length).ok_or(Error::OutputSize)?;
    argon2.hash_password_into_with_memory(password, salt, output, memory)?;
    Ok(Output::new(output)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_costs_what_everybodys_does() {
        let hash = phc::PasswordHash::new(NOBODYS_HASH).unwrap();
        let params = Params::try_from(&hash).unwrap();
        assert_eq!(
            (params.m_cost(), params.t_cost(), params.p_cost()),
            (MEMORY_KIB, PASSES, LANES)
        );
        assert_eq!(hash.hash.map(|output| output.len()), Some(32));
    }

    /// From the tests of argon2's reference implementation.
    /// <https://github.com/P-H-C/phc-winner-argon2/blob/master/src/test.c>
    const KNOWN: [&str; 3] = [
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=65536,t=1,p=1$c29tZXNhbHQ$9qWtwbpyPd3vm1rB1GThgPzZ3/ydHL92zKL+15XZypg",
    ];

    #[test]
    fn what_is_left_in_the_memory_makes_no_difference() {
        let mut memory = Memory::new();
        for hash in KNOWN.map(|hash| phc::PasswordHash::new(hash).unwrap()) {
            for (password, is_right) in [("password", true), ("passwort", false)] {
                let verified = verify(password.as_bytes(), &hash, &mut memory);
                assert_eq!(verified, Ok(is_right), "{hash} {password}");
            }
        }
    }
}
