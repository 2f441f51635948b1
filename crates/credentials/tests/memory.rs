//! How much memory hashing passwords takes. A binary of its own, because it measures the peak of the
//! whole process.

#![cfg(target_os = "linux")]

use std::thread::available_parallelism;

use storefront_credentials::{GivenPassword, Password};
use tokio::task::JoinSet;

/// The memory that one hash fills.
const HASH_MIB: usize = 19;

/// The peak memory of this process.
fn peak_mib() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? / 1024)
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_hashed_in_no_more_memory_than_the_processors_need() {
    let before = peak_mib().unwrap();
    let password: Password = "correct horse".parse().unwrap();
    let given: GivenPassword = "correct horse".parse().unwrap();
    let mut hashes = JoinSet::new();
    for _ in 0..32 {
        hashes.spawn(password.clone().hash());
    }
    while let Some(hash) = hashes.join_next().await {
        let hash = hash.unwrap().unwrap();
        assert!(given.clone().verify(&hash).await.unwrap());
    }
    let needed = available_parallelism().unwrap().get() * HASH_MIB;
    let used = peak_mib().unwrap() - before;
    // Half a hash is allowed for everything else.
    assert!(used <= needed + HASH_MIB / 2, "{used} MiB");
}
