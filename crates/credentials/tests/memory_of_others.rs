//! How much memory it takes to verify hashes of other shops, which fill more than ours. A binary of its
//! own, because it measures the whole process.

#![cfg(target_os = "linux")]

use storefront_core::PasswordHash;
use storefront_credentials::GivenPassword;

/// The memory of this process (`VmRSS`) or its peak (`VmHWM`).
fn mib(field: &str) -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<usize>().ok()? / 1024)
}

#[tokio::test]
async fn memory_beyond_that_of_our_own_hashes_is_released() {
    // PHP's default fills 64 MiB.
    let hash = "$argon2id$v=19$m=65536,t=4,p=1$c3RvcmVmcm9udC1zYWx0IQ$\
                4Ut1isd7z+eM4XlDqtngYZHtYYu0tcU3l0rZIsY480Q";
    let hash = PasswordHash::new(hash.to_owned());
    let password: GivenPassword = "correct horse battery".parse().unwrap();
    let before = mib("VmRSS").unwrap();
    for _ in 0..8 {
        assert!(password.clone().verify(&hash).await.unwrap());
        assert!(!password.clone().is_of(None).await.unwrap());
    }
    // The 19 MiB of our own hashes stay. Half as much is allowed for everything else.
    let kept = mib("VmRSS").unwrap() - before;
    assert!(kept <= 19 + 10, "{kept} MiB");
    let used = mib("VmHWM").unwrap() - before;
    assert!(used <= 64 + 19 + 10, "{used} MiB");
}
