use std::time::Duration;

use storefront_core::{Error, LOGIN_WINDOW, MAX_LOGIN_FAILURES, Timestamp, schema};

use crate::shop::{Shop, email, number};

#[tokio::test]
async fn after_ten_failures_the_next_attempt_must_wait_for_the_window_to_end() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    for _ in 0..MAX_LOGIN_FAILURES {
        shop.login_attempts.begin(&anna).await.unwrap();
    }
    let Err(Error::TooManyLogins { retry_after }) = shop.login_attempts.begin(&anna).await else {
        panic!("the eleventh attempt got through");
    };
    assert!(retry_after > Duration::ZERO && retry_after <= LOGIN_WINDOW);
    shop.login_attempts.begin(&email("ben@example.com")).await.expect("others are not affected");
}

#[tokio::test]
async fn a_success_forgets_the_failures() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    for _ in 0..MAX_LOGIN_FAILURES {
        shop.login_attempts.begin(&anna).await.unwrap();
    }
    shop.login_attempts.succeeded(&anna).await;
    shop.login_attempts.begin(&anna).await.unwrap();
}

#[tokio::test]
async fn a_count_that_ttl_has_not_removed_yet_does_not_lock() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    for _ in 0..MAX_LOGIN_FAILURES {
        shop.login_attempts.begin(&anna).await.unwrap();
    }
    let key = schema::Key::login_attempts(&anna);
    shop.overwrite(key.clone(), "expiresAt", number(Timestamp::now().as_seconds() - 1)).await;
    shop.login_attempts.begin(&anna).await.unwrap();
    let item = shop.raw(key).await.unwrap();
    assert_eq!(item["attempts"].as_ss().unwrap().len(), 1, "the count starts again");
}

#[tokio::test]
async fn a_count_in_the_format_of_an_earlier_version_does_not_lock() {
    let shop = Shop::open().await;
    let anna = email("anna@example.com");
    let key = schema::Key::login_attempts(&anna);
    shop.put_login_attempts(&anna, "failures", 3).await;
    shop.login_attempts.begin(&anna).await.unwrap();
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
        shop.login_attempts.begin(&anna).await.unwrap();
    }
    let refused = shop.login_attempts.begin(&anna).await;
    assert!(matches!(refused, Err(Error::TooManyLogins { .. })));
}
