//! Who is kept out by wrong passwords, and who is not.

use std::env;

use serde_json::json;
use storefront_core::{AccountMailKind, MailTokens, Timestamp, UserChanges, Users};
use storefront_credentials::Password;
use storefront_testing::{Answer, Api};

use crate::{PASSWORD, anna, register, start, start_with_faults};

const STRANGER: &str = "198.51.100.66";
const OWNER: &str = "203.0.113.7";
const OTHER: &str = "192.0.2.77";

async fn log_in_from(api: &Api, address: &str, password: &str) -> Answer {
    let body = json!({ "email": "anna@example.com", "password": password });
    api.post("/sessions").from(address).json(body).send().await
}

async fn guess(api: &Api, address: &str, times: u32) {
    for _ in 0..times {
        let answer = log_in_from(api, address, "wrong password").await;
        let _ = answer.problem(401, "invalid_credentials");
    }
    let answer = log_in_from(api, address, "wrong password").await;
    let _ = answer.problem(429, "too_many_logins");
}

#[tokio::test]
async fn a_stranger_who_guesses_does_not_keep_the_owner_out() {
    let (api, _database) = start().await;
    let _ = register(&api, anna()).await.expect(201);
    guess(&api, STRANGER, 10).await;
    let locked = log_in_from(&api, STRANGER, PASSWORD).await.problem(429, "too_many_logins");
    let retry_after: u64 = locked.header("retry-after").unwrap().parse().unwrap();
    assert!((890..=900).contains(&retry_after), "{retry_after}");
    let _ = log_in_from(&api, OWNER, PASSWORD).await.expect(201);
    // The log-in does not open it for the stranger.
    let _ = log_in_from(&api, STRANGER, PASSWORD).await.problem(429, "too_many_logins");
}

/// The number of guesses here; `cargo xtask nightly` takes ten thousand.
fn number_of_guesses() -> u32 {
    env::var("STOREFRONT_GUESSES").map_or(200, |text| text.parse().unwrap())
}

#[tokio::test]
async fn however_often_a_stranger_guesses_the_owner_logs_in() {
    let (api, _plan) = start_with_faults();
    let _ = register(&api, anna()).await.expect(201);
    let (guesses, mut checked) = (number_of_guesses(), 0);
    for guess in 1..=guesses {
        match log_in_from(&api, STRANGER, "wrong password").await.status {
            401 => checked += 1,
            status => assert_eq!(status, 429, "guess {guess}"),
        }
        if guess % 50 == 0 {
            let _ = log_in_from(&api, OWNER, PASSWORD).await.expect(201);
        }
    }
    // Ten within 15 minutes, which may pass meanwhile.
    assert!(checked <= guesses / 10, "{checked} of {guesses}");
}

#[tokio::test]
async fn a_new_password_opens_the_email_for_every_source() {
    let (api, database) = start().await;
    let user = register(&api, anna()).await.expect(201).body;
    guess(&api, OWNER, 10).await;
    let new: Password = "set by an administrator".parse().unwrap();
    let changes =
        UserChanges { password_hash: Some(new.hash().await.unwrap()), ..UserChanges::default() };
    let id = user["id"].as_str().unwrap().parse().unwrap();
    Users::new(database.table()).update(id, changes, None).await.unwrap();
    let _ = log_in_from(&api, OWNER, "set by an administrator").await.expect(201);
}

#[tokio::test]
async fn a_hundred_sources_keep_out_all_but_the_owners_own_until_a_reset_opens_it_for_any() {
    let (api, database) = start().await;
    let user = register(&api, anna()).await.expect(201).body;
    let _ = log_in_from(&api, OWNER, PASSWORD).await.expect(201);
    for number in 0..100 {
        let address = format!("198.51.100.{number}");
        let _ = log_in_from(&api, &address, "wrong password").await.expect(401);
    }
    let _ = log_in_from(&api, OTHER, PASSWORD).await.problem(429, "too_many_logins");
    let _ = log_in_from(&api, OWNER, PASSWORD).await.expect(201);

    let id = user["id"].as_str().unwrap().parse().unwrap();
    let to = Users::new(database.table()).recipient(id).await.unwrap().unwrap();
    let tokens = MailTokens::new(database.table());
    let token = tokens.issue(AccountMailKind::PasswordReset, &to, Timestamp::now()).await.unwrap();
    let body = json!({ "token": token.expose(), "password": "a password by mail" });
    let _ = api.post("/password-resets/confirm").json(body).send().await.expect(204);
    let _ = log_in_from(&api, OTHER, "a password by mail").await.expect(201);
}

#[tokio::test]
async fn the_loopback_address_is_no_source_and_counts_for_the_email_alone() {
    let (api, _database) = start().await;
    let _ = register(&api, anna()).await.expect(201);
    guess(&api, "127.0.0.1", 10).await;
    let _ = log_in_from(&api, "::1", PASSWORD).await.problem(429, "too_many_logins");
    let _ = log_in_from(&api, OWNER, PASSWORD).await.expect(201);
}

#[tokio::test]
async fn an_unknown_email_is_counted_and_answered_like_a_known_one() {
    let (api, _database) = start().await;
    guess(&api, STRANGER, 10).await;
    let answer = log_in_from(&api, OWNER, PASSWORD).await;
    let _ = answer.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_source() {
    let (api, _database) = start().await;
    let _ = register(&api, anna()).await.expect(201);
    for last in 0..10 {
        let address = format!("2001:db8:1:2::{last:x}");
        let _ = log_in_from(&api, &address, "wrong password").await.expect(401);
    }
    let _ = log_in_from(&api, "2001:db8:1:2:f::1", PASSWORD).await.problem(429, "too_many_logins");
    let _ = log_in_from(&api, "2001:db8:1:3::1", PASSWORD).await.expect(201);
}
