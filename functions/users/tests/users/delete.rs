//! DELETE /users/{userId}, POST /users/me/deletion.

use futures_util::future::join_all;
use serde_json::{Value, json};
use storefront_core::Role;
use storefront_testing::{Persona, Request};

use crate::{PASSWORD, Shop, path};

/// The ways to delete oneself.
fn deletions(shop: &Shop, persona: Persona) -> [Request; 3] {
    [
        shop.api.delete("/users/me").by(persona),
        shop.api.delete(path(persona)).by(persona),
        shop.api.post("/users/me/deletion").by(persona),
    ]
}

fn confirmed() -> Value {
    json!({ "currentPassword": PASSWORD })
}

#[tokio::test]
async fn deleting_oneself_needs_the_password_and_not_only_the_access_token() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let [me, own_id, post] = deletions(&shop, anna);
    for without in [me, own_id] {
        let answer = without.send().await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/currentPassword"]);
    }
    let _ = post.send().await.problem(415, "unsupported_media_type");
    for (body, pointer) in [
        (json!({}), "/currentPassword"),
        (json!({ "currentPassword": "" }), "/currentPassword"),
        (json!({ "currentPassword": PASSWORD, "sure": true }), "/sure"),
    ] {
        for request in deletions(&shop, anna) {
            let answer = request.json(body.clone()).send().await.problem(422, "invalid_body");
            assert_eq!(answer.pointers(), [pointer]);
        }
    }
    for request in deletions(&shop, anna) {
        let wrong = json!({ "currentPassword": "wrong password" });
        let answer = request.json(wrong).send().await.problem(403, "wrong_password");
        assert_eq!(answer.pointers(), ["/currentPassword"]);
    }
    let _ = shop.api.get("/users/me").by(anna).send().await.expect(200);
    for number in 0..3 {
        let ben = shop.with(&format!("ben{number}"), Role::User).await;
        let request = deletions(&shop, ben).into_iter().nth(number).unwrap();
        assert!(request.json(confirmed()).send().await.expect(204).body.is_null());
        let _ = shop.api.get("/users/me").by(ben).send().await.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn wrong_passwords_of_a_deletion_count_as_failed_log_ins() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let delete = |password: &str| {
        shop.api.delete("/users/me").by(anna).json(json!({ "currentPassword": password })).send()
    };
    for _ in 0..10 {
        let _ = delete("wrong password").await.problem(403, "wrong_password");
    }
    let answer = delete(PASSWORD).await.problem(429, "too_many_logins");
    assert!(answer.header("retry-after").is_some());
    let _ = shop.api.get("/users/me").by(anna).send().await.expect(200);
}

#[tokio::test]
async fn an_administrator_deletes_another_user_without_a_password_but_not_themselves() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let answer = shop.api.delete(path(admin)).by(admin).send().await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/currentPassword"]);
    let _ = shop.api.delete(path(anna)).by(admin).send().await.expect(204);
    for request in deletions(&shop, admin) {
        let _ = request.json(confirmed()).send().await.problem(409, "administrator_needed");
    }
    let other = shop.with("other", Role::Admin).await;
    let _ = shop.api.delete(path(admin)).by(other).send().await.expect(204);
}

#[tokio::test]
async fn a_version_that_the_client_names_is_honoured() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for request in deletions(&shop, anna) {
        let request = request.json(confirmed()).header("if-match", "\"7\"");
        let _ = request.send().await.problem(412, "version_mismatch");
    }
    let delete = shop.api.delete("/users/me").by(anna).json(confirmed());
    let _ = delete.header("if-match", "\"1\"").send().await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_new_password_and_a_deletion_with_the_old_one_only_one_is_made() {
    for _ in 0..8 {
        let shop = Shop::open().await;
        let anna = shop.anna().await;
        let change = json!({ "password": "fresh secret", "currentPassword": PASSWORD });
        let requests = [
            shop.api.patch("/users/me").by(anna).json(change),
            shop.api.delete("/users/me").by(anna).json(confirmed()),
        ];
        let sent = requests.map(|request| tokio::spawn(request.send()));
        let answers: Vec<i64> =
            join_all(sent).await.into_iter().map(|answer| answer.unwrap().status).collect();
        let exists = shop.users.find_now(anna.user_id).await.unwrap().is_some();
        match answers[..] {
            // The deletion came after the change, or lost against it.
            [200, 403 | 503] => assert!(exists && shop.password_of(anna, "fresh secret").await),
            [401 | 503, 204] => assert!(!exists),
            _ => panic!("{answers:?}"),
        }
    }
}
