use std::time::Duration;

use futures_util::future::join_all;
use storefront_core::schema::ItemType;
use storefront_core::{
    Error, LOGIN_WINDOW, LoginAttempt, MAX_FAILURES_OF_EMAIL, MAX_FAILURES_OF_SOURCE,
    MAX_LOGIN_FAILURES, PasswordHash, SESSION_LIFETIME, SOURCE_KNOWN_FOR, Source, Timestamp,
    UserChanges, schema,
};
use storefront_testing::faults::Fault;

use crate::shop::{Shop, attempt, email, number};

#[tokio::test]
async fn after_ten_failures_the_next_attempt_must_wait_for_the_window_to_end() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    for _ in 0..MAX_LOGIN_FAILURES {
        shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
    }
    let Err(Error::TooManyLogins { retry_after }) =
        shop.login_attempts.begin(&attempt(&anna)).await
    else {
        panic!("the eleventh attempt got through");
    };
    assert!(retry_after > Duration::ZERO && retry_after <= LOGIN_WINDOW);
    shop.login_attempts
        .begin(&attempt(&email("ben@example.com")))
        .await
        .expect("others are not affected");
}

#[tokio::test]
async fn a_success_forgets_the_failures() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    for _ in 0..MAX_LOGIN_FAILURES {
        shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
    }
    shop.login_attempts.succeeded(&attempt(&anna)).await;
    shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
}

#[tokio::test]
async fn a_count_that_ttl_has_not_removed_yet_does_not_lock() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    for _ in 0..MAX_LOGIN_FAILURES {
        shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
    }
    let key = schema::Key::login_attempts(&anna, 0, None);
    shop.overwrite(key.clone(), "expiresAt", number(Timestamp::now().as_seconds() - 1)).await;
    shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
    let item = shop.raw(key).await.unwrap();
    assert_eq!(item["attempts"].as_ss().unwrap().len(), 1, "the count starts again");
}

#[tokio::test]
async fn a_count_in_the_format_of_an_earlier_version_does_not_lock() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    let key = schema::Key::login_attempts(&anna, 0, None);
    shop.put_login_attempts(&anna, "failures", 3).await;
    shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
    assert_eq!(shop.raw(key).await.unwrap()["attempts"].as_ss().unwrap().len(), 1);
}

#[tokio::test]
async fn an_attempt_long_after_one_that_was_taken_back_starts_a_new_window() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    // What is left after the only id of a set is removed.
    let over = Timestamp::now().as_seconds() - 1;
    shop.put_login_attempts(&anna, "expiresAt", over).await;
    for _ in 0..MAX_LOGIN_FAILURES {
        shop.login_attempts.begin(&attempt(&anna)).await.unwrap();
    }
    let refused = shop.login_attempts.begin(&attempt(&anna)).await;
    assert!(matches!(refused, Err(Error::TooManyLogins { .. })));
}

const HERE: &str = "203.0.113.7";
const THERE: &str = "2001:db8:1:2::7";

fn from(address: &str) -> LoginAttempt {
    LoginAttempt::new(email("anna@example.com"), None, Source::of(address.parse().unwrap()))
}

/// An address of its own for each number.
fn address(number: u32) -> String {
    std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).to_string()
}

impl Shop {
    /// Whether the attempt is let through. If so, the password is wrong.
    async fn guess(&self, attempt: &LoginAttempt) -> bool {
        match self.login_attempts.begin(attempt).await {
            Ok(()) => {
                self.login_attempts.failed(attempt).await;
                true
            }
            Err(Error::TooManyLogins { .. }) => false,
            Err(error) => panic!("{error:?}"),
        }
    }

    async fn may_log_in(&self, attempt: &LoginAttempt) -> bool {
        let may = self.login_attempts.begin(attempt).await.is_ok();
        if may {
            self.login_attempts.succeeded(attempt).await;
        }
        may
    }
}

#[tokio::test]
async fn a_source_that_guesses_keeps_itself_out_and_nobody_else() {
    let shop = Shop::open().await;
    let mut let_through = 0;
    for _ in 0..1_000 {
        let_through += usize::from(shop.guess(&from(HERE)).await);
    }
    assert_eq!(let_through, MAX_LOGIN_FAILURES);
    assert!(shop.may_log_in(&from(THERE)).await, "as the owner may, from another source");
    assert!(!shop.guess(&from(HERE)).await);
    // Another computer of the same network is the same source.
    let other = "2001:db8:1:2:ffff::1";
    for _ in 0..MAX_LOGIN_FAILURES {
        assert!(shop.guess(&from(THERE)).await);
    }
    assert!(!shop.guess(&from(other)).await);
}

#[tokio::test]
async fn a_hundred_sources_are_held_by_the_limit_of_the_email_and_one_that_it_knows_is_not() {
    let shop = Shop::open().await;
    assert!(shop.may_log_in(&from(HERE)).await);
    let mut let_through = 0;
    for number in 0..400 {
        let_through += usize::from(shop.guess(&from(&address(number))).await);
    }
    assert_eq!(let_through, MAX_FAILURES_OF_EMAIL);
    assert!(!shop.may_log_in(&from(THERE)).await, "not even with the right password");
    assert!(shop.may_log_in(&from(HERE)).await, "it has logged in from there before");

    // A new password starts anew.
    let anna = shop.anna().await;
    let password_hash = Some(PasswordHash::new("$argon2id$changed".to_owned()));
    let changes = UserChanges { password_hash, ..UserChanges::default() };
    let anna = shop.users.update(anna.id, changes, None).await.unwrap();
    let there = Source::of(THERE.parse().unwrap());
    let attempt = LoginAttempt::new(anna.email.clone(), Some(&anna), there);
    assert!(shop.may_log_in(&attempt).await);
}

#[tokio::test]
async fn the_owners_log_ins_give_a_stranger_no_more_guesses() {
    let shop = Shop::open().await;
    let mut let_through = 0;
    for number in 0..200 {
        let_through += usize::from(shop.guess(&from(&address(number))).await);
        if number % 10 == 0 {
            shop.may_log_in(&from(HERE)).await;
        }
    }
    assert_eq!(let_through, MAX_FAILURES_OF_EMAIL);
}

#[tokio::test]
async fn sources_that_the_old_password_knew_are_not_exempt_with_the_new_one() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    assert!(shop.may_log_in(&from(THERE)).await, "a thief with the old password");
    let password_hash = Some(PasswordHash::new("$argon2id$changed".to_owned()));
    let changes = UserChanges { password_hash, ..UserChanges::default() };
    let anna = shop.users.update(anna.id, changes, None).await.unwrap();
    let from = |address: &str| {
        let source = Source::of(address.parse().unwrap());
        LoginAttempt::new(anna.email.clone(), Some(&anna), source)
    };
    // Where it was changed is known.
    shop.login_attempts.know_source(&anna, Source::of(HERE.parse().unwrap()).as_ref()).await;
    for number in 0..100 {
        assert!(shop.guess(&from(&address(number))).await);
    }
    assert!(!shop.guess(&from(THERE)).await);
    assert!(shop.may_log_in(&from(HERE)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn sources_that_guess_at_once_are_held_as_well() {
    let shop = Shop::open().await;
    let guesses = (0..300).map(|number| {
        let attempts = shop.login_attempts.clone();
        tokio::spawn(async move { attempts.begin(&from(&address(number))).await.is_ok() })
    });
    let let_through = join_all(guesses.collect::<Vec<_>>()).await;
    let let_through = let_through.into_iter().filter(|let_through| *let_through.as_ref().unwrap());
    assert_eq!(let_through.count(), MAX_FAILURES_OF_EMAIL);
}

#[tokio::test]
async fn a_source_that_guesses_at_many_emails_is_kept_out_of_all() {
    let shop = Shop::open().await;
    let source = Source::of(HERE.parse().unwrap());
    let at = |number: u32, source: Option<Source>| {
        LoginAttempt::new(email(&format!("user{number}@example.com")), None, source)
    };
    let mut let_through = 0;
    for number in 0..200 {
        let_through += usize::from(shop.guess(&at(number, source.clone())).await);
    }
    assert_eq!(let_through, MAX_FAILURES_OF_SOURCE);
    assert!(!shop.may_log_in(&at(500, source)).await);
    assert!(shop.may_log_in(&at(500, Source::of(THERE.parse().unwrap()))).await);
    // What was refused does not count against those whose emails they were. The log-in leaves one that is empty.
    assert_eq!(shop.count(ItemType::EmailAttempts).await, MAX_FAILURES_OF_SOURCE + 1);
}

#[tokio::test]
async fn people_behind_one_address_log_in_as_often_as_they_like() {
    let shop = Shop::open().await;
    let source = Source::of(HERE.parse().unwrap());
    for number in 0..150 {
        let email = email(&format!("user{number}@example.com"));
        assert!(shop.may_log_in(&LoginAttempt::new(email, None, source.clone())).await);
    }
    assert_eq!(shop.count(ItemType::SourceAttempts).await, 0);
}

#[tokio::test]
async fn a_source_is_known_for_longer_than_a_session_lasts_and_then_forgotten() {
    let shop = Shop::open().await;
    assert!(shop.may_log_in(&from(HERE)).await);
    let source = Source::of(HERE.parse().unwrap()).unwrap();
    let key = schema::Key::known_source(&email("anna@example.com"), 0, &source);
    let until = shop.raw(key.clone()).await.unwrap()["expiresAt"].as_n().unwrap().parse::<i64>();
    let expected = Timestamp::now().as_seconds() + SOURCE_KNOWN_FOR.as_secs().cast_signed();
    assert!((expected - 60..=expected).contains(&until.unwrap()));
    assert!(SOURCE_KNOWN_FOR > 2 * SESSION_LIFETIME);
    shop.overwrite(key, "expiresAt", number(Timestamp::now().as_seconds() - 1)).await;
    for number in 0..100 {
        assert!(shop.guess(&from(&address(number))).await);
    }
    assert!(!shop.may_log_in(&from(HERE)).await);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_could_not_be_decided_counts_nowhere() {
    let (shop, plan) = Shop::with_faults();
    for (operation, tries) in [("UpdateItem", 4), ("GetItem", 4)] {
        for _ in 0..=MAX_FAILURES_OF_EMAIL {
            plan.next(operation, tries, Fault::ServerError);
            let undecided = shop.login_attempts.begin(&from(HERE)).await;
            assert!(matches!(undecided, Err(Error::Unavailable(_))));
            // The SDK tries less often in the end.
            let _ = plan.stop();
        }
    }
    assert!(shop.may_log_in(&from(HERE)).await);
}
