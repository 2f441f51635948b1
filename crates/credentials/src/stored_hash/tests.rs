use proptest::prelude::*;

use super::*;

const PASSWORD: &str = "correct horse battery";

/// Hashes of the password above, made by libxcrypt (whose bcrypt is PHP's), by Python's bcrypt, and by
/// the reference implementation of argon2.
const HASHES: [&str; 12] = [
    "$2a$04$Zmu/A0LfHkALJdrsCoPDBOxFKGtBD5YiZ56i.Ro41j8RH5PcjYQqq",
    "$2b$04$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d.",
    "$2y$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.",
    "$argon2d$v=19$m=64,t=1,p=2$c3RvcmVmcm9udC1zYWx0IQ$rlOGan7nY+r0Kp0wlKX4xxxRAqSeTCcITYY1RM2OyDg",
    "$argon2i$v=19$m=64,t=3,p=1$c3RvcmVmcm9udC1zYWx0IQ$ItL7pUfd4OEeUXBcqK3qA+vWiZ6Q1J3cFb7wSbRtlPY",
    // Without a version, and the same with that version.
    "$argon2i$m=64,t=2,p=1$c3RvcmVmcm9udC1zYWx0IQ$z64DUSBZmEM9liVPVOKjKv5M4/fcxn5JVaMIeiXND7U",
    "$argon2i$v=16$m=64,t=2,p=1$c3RvcmVmcm9udC1zYWx0IQ$z64DUSBZmEM9liVPVOKjKv5M4/fcxn5JVaMIeiXND7U",
    "$argon2id$v=19$m=1024,t=2,p=4$c3RvcmVmcm9udC1zYWx0IQ$vpdwNFvJ3Y2cD9xnSxLCtoMHuzTzMVK63giZSMsnQhI",
    // PHP's default.
    "$argon2id$v=19$m=65536,t=4,p=1$c3RvcmVmcm9udC1zYWx0IQ$4Ut1isd7z+eM4XlDqtngYZHtYYu0tcU3l0rZIsY480Q",
    // A short salt and output; a long output.
    "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w",
    "$argon2id$v=19$m=64,t=2,p=1$c3RvcmVmcm9udC1zYWx0IQ$PE8oFZ/+a+sK8CKfDPxDkfcypXkR+xdV0L3DPBIEeQbv16Cw87mxJEtOxnl1o2oR/qT28QnZodj5WhldDz3TLA",
    CURRENT,
];

const CURRENT: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3RvcmVmcm9udC1zYWx0IQ$T8Afnf6Bvi88OhzkmQHHANv6SQF52UXbQm9mSJzvAcc";

fn verify(hash: &str, password: &str) -> bool {
    StoredHash::parse(hash).unwrap().verify(password.as_bytes()).unwrap()
}

fn rejection(hash: &str) -> Option<UnverifiableHash> {
    StoredHash::parse(hash).err()
}

#[test]
fn hashes_from_other_implementations_are_verified() {
    for hash in HASHES {
        assert!(verify(hash, PASSWORD), "{hash}");
        assert!(!verify(hash, "correct horse batterx"), "{hash}");
    }
}

#[test]
fn every_hash_without_the_current_parameters_is_outdated() {
    for hash in HASHES {
        let is_outdated = StoredHash::parse(hash).unwrap().is_outdated_for(PASSWORD.as_bytes());
        assert_eq!(is_outdated, hash != CURRENT, "{hash}");
    }
}

#[test]
fn an_absent_users_hash_costs_what_everybodys_does() {
    let StoredHash::Argon2(hash) = StoredHash::absent() else { panic!("it is argon2id") };
    assert!(hash.is_current());
}

#[test]
fn data_left_in_reused_memory_makes_no_difference() {
    // They share the memory, in a different order each time.
    for hash in HASHES.iter().rev().chain(&HASHES).filter(|hash| hash.contains("argon2")) {
        assert!(verify(hash, PASSWORD), "{hash}");
    }
}

#[test]
fn characters_beyond_ascii_are_compared_as_bytes() {
    let hash = "$2y$04$abcdefghijklmnopqrstuuyx2n0Zzopyr9QuYTMCfOJJOj526QVoC";
    assert!(verify(hash, "pässwörd"));
    assert!(!verify(hash, "password"));
    // The faulty bcrypt's hash of the same password.
    let hash = "$2x$04$abcdefghijklmnopqrstuusLa1VKyG1SwS4T/Tip3T/Cdo9gT8Ol.";
    assert_eq!(rejection(hash), Some(UnverifiableHash::SignExtended));
}

#[test]
fn bcrypt_compares_72_bytes_and_its_hash_stays_if_the_password_may_be_longer() {
    let digits = "0123456789".repeat(8);
    let of_80 = "$2y$04$abcdefghijklmnopqrstuum2G75IXDN/xsgbNa/hCiPSKyIHQd70S";
    let of_71 = "$2y$04$abcdefghijklmnopqrstuukow.iL/GuIgNNTSpCKVqIJG617.YQsi";
    let is_outdated = |hash: &str, length: usize| {
        StoredHash::parse(hash).unwrap().is_outdated_for(&digits.as_bytes()[..length])
    };
    assert!(verify(of_80, &digits));
    assert!(verify(of_80, &digits[..72]), "bcrypt cannot tell it from the right one");
    assert!(verify(of_80, &format!("{}x", &digits[..72])));
    assert!(!verify(of_80, &digits[..71]));
    assert!(!is_outdated(of_80, 80) && !is_outdated(of_80, 72));

    assert!(verify(of_71, &digits[..71]));
    assert!(!verify(of_71, &digits[..72]));
    assert!(is_outdated(of_71, 71));
}

#[test]
fn a_password_with_a_nul_does_not_match_the_hash_of_one_without() {
    let hash = "$2y$04$abcdefghijklmnopqrstuubKfWQchfpA0DnwJbo1YQE8GtK91uzdC";
    assert!(verify(hash, "abcdefgh"));
    // The first is the same to bcrypt, the others to implementations that stop at a NUL.
    for password in ["abcdefgh\0abcdefgh", "abcdefgh\0", "abcdefgh\0ijkl"] {
        assert!(!verify(hash, password), "{password:?}");
    }
    assert_eq!(
        bcrypt::verify("abcdefgh\0abcdefgh", hash).ok(),
        Some(true),
        "otherwise this test shows nothing"
    );
}

#[test]
fn a_hash_that_is_too_costly_is_rejected_before_it_is_computed() {
    let argon2 = |costs: &str| {
        format!(
            "$argon2id$v=19${costs}$c3RvcmVmcm9udC1zYWx0IQ$4Ut1isd7z+eM4XlDqtngYZHtYYu0tcU3l0rZIsY480Q"
        )
    };
    let bcrypt =
        |cost: &str| format!("$2b${cost}$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d.");
    for hash in [
        argon2("m=262145,t=1,p=1"),
        argon2("m=262144,t=5,p=1"),
        argon2("m=19456,t=54,p=1"),
        argon2("m=8,t=4294967295,p=1"),
        argon2("m=4294967295,t=4294967295,p=16777215"),
        bcrypt("15"),
        bcrypt("31"),
        bcrypt("99"),
    ] {
        assert_eq!(rejection(&hash), Some(UnverifiableHash::TooCostly), "{hash}");
    }
    for hash in [argon2("m=262144,t=4,p=1"), argon2("m=19456,t=53,p=1"), bcrypt("14")] {
        assert_eq!(rejection(&hash), None, "{hash}");
    }
}

#[test]
fn each_kind_of_unverifiable_hash_has_its_reason() {
    use UnverifiableHash::{Keyed, Malformed, SignExtended, UnknownKind};
    for (text, reason) in [
        ("", UnknownKind),
        ("correct horse battery", UnknownKind),
        ("5f4dcc3b5aa765d61d8327deb882cf99", UnknownKind),
        ("$", UnknownKind),
        ("$1$abcdefgh$G6Z1oVLbQkTWJqMvKqzS40", UnknownKind),
        ("$2$04$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.", UnknownKind),
        ("$P$B55D6LjfHDkINU5wF.v2BuuzO0/XPk/", UnknownKind),
        ("$scrypt$ln=16,r=8,p=1$c2FsdHNhbHQ$aGFzaA", UnknownKind),
        ("$wp$2y$10$C8JdkU.ik/u1Q7kpOng8KODMCb6TMRz/19t/YJebiZ9dfynEDCyx.", UnknownKind),
        ("bcrypt_sha256$$2b$12$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d.", UnknownKind),
        (" $2b$04$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d.", UnknownKind),
        ("$2x$04$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d.", SignExtended),
        ("$2b$", Malformed),
        ("$2b$04$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d", Malformed),
        ("$2b$04$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d. ", Malformed),
        ("$2b$04$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7ö", Malformed),
        ("$2b$04$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/Iolö+ZrO7NVSMK7GX7d.", Malformed),
        ("$2b$+4$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d.", Malformed),
        ("$2b$4$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d..", Malformed),
        ("$2b$03$mtRCx2TvEidwvk4eXKsyMePPFEhnGJir/IolOjZrO7NVSMK7GX7d.", Malformed),
        ("$argon2id", Malformed),
        ("$argon2id$v=19$m=64,t=2,p=1$c3RvcmVmcm9udC1zYWx0IQ", Malformed),
        ("$argon2id$v=20$m=64,t=2,p=1$c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w", Malformed),
        ("$argon2id$v=19$m=7,t=2,p=1$c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w", Malformed),
        ("$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w", Malformed),
        ("$argon2id$v=19$m=64,t=2,p=9$c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w", Malformed),
        ("$argon2id$v=19$m=64,t=2,p=1,x=1$c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w", Malformed),
        ("$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w$", Malformed),
        ("$argon2id$v=19$m=64,t=2,p=1,keyid=a2V5$c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w", Keyed),
        ("$argon2id$v=19$m=64,t=2,p=1,data=a2V5$c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w", Keyed),
    ] {
        assert_eq!(rejection(text), Some(reason), "{text}");
        assert_eq!(check_verifiable(&PasswordHash::new(text.to_owned())), Err(reason));
    }
}

proptest! {
    /// Parsing never panics, whatever is stored.
    #[test]
    fn text_that_looks_like_a_hash_is_parsed_or_rejected(
        text in "\\$(2[abxy]|argon2(d|i|id))\\$[$0-9a-z=,./ö]{0,60}",
    ) {
        let _ = StoredHash::parse(&text);
    }

    #[test]
    fn no_hash_is_parsed_whose_cost_is_beyond_the_bounds(m in any::<u32>(), t in any::<u32>(), p in any::<u32>()) {
        let salted = "c29tZXNhbHQ$1CWSPiGuikDT8JTUNaqR/w";
        let hash = StoredHash::parse(&format!("$argon2i$v=19$m={m},t={t},p={p}${salted}"));
        let is_bounded = m <= 1 << 18 && u64::from(m) * u64::from(t) <= 1 << 20;
        prop_assert!(is_bounded || hash.is_err());
    }
}
