//! PATCH /users/{userId}.

use futures_util::future::join_all;
use serde_json::json;
use storefront_core::{PasswordHash, Role};
use storefront_testing::faults::Fault;
use storefront_testing::{Answer, Persona};

use crate::{PASSWORD, Shop, path};

#[tokio::test]
async fn a_user_changes_their_name() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let change = json!({ "name": "Anna Ångström" });
    let answer = shop.api.patch("/users/me").by(anna).json(change).send().await.expect(200);
    assert_eq!(answer.header("etag"), Some("\"2\""));
    assert_eq!(answer.body["name"], "Anna Ångström");
    assert_eq!(answer.body["version"], 2);
    assert_eq!(answer.body["email"], "anna@example.com");
}

#[tokio::test]
async fn a_user_chooses_the_language_of_their_mails() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let patch = |locale: &str| {
        shop.api.patch("/users/me").by(anna).json(json!({ "locale": locale })).send()
    };
    let answer = patch("de").await.expect(200);
    assert_eq!((&answer.body["locale"], &answer.body["version"]), (&json!("de"), &json!(2)));
    for unknown in ["fr", "DE", "de-AT", ""] {
        let answer = patch(unknown).await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/locale"], "{unknown}");
    }
}

#[tokio::test]
async fn changing_ones_own_email_or_password_needs_the_current_password() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for change in [json!({ "email": "new@example.com" }), json!({ "password": "fresh secret" })] {
        let patch = || shop.api.patch(path(anna)).by(anna);
        let answer = patch().json(change.clone()).send().await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/currentPassword"]);

        let mut wrong = change.clone();
        wrong["currentPassword"] = "wrong password".into();
        let answer = patch().json(wrong).send().await.problem(403, "wrong_password");
        assert_eq!(answer.pointers(), ["/currentPassword"]);

        let mut right = change;
        right["currentPassword"] = PASSWORD.into();
        let _ = patch().json(right).send().await.expect(200);
    }
    let answer = shop.api.get("/users/me").by(anna).send().await.expect(200);
    assert_eq!(answer.body["email"], "new@example.com");
    assert_eq!(answer.body["version"], 3);
    assert!(shop.password_of(anna, "fresh secret").await);
}

#[tokio::test]
async fn the_current_password_may_be_one_that_another_shop_allowed_and_hashed() {
    let shop = Shop::open().await;
    let hash = "$2y$04$abcdefghijklmnopqrstuuw3ibSUktrT3FMj6h0xq2asDu3JGiBV2";
    let anna = shop.with_hash("anna", Role::User, PasswordHash::new(hash.to_owned())).await;
    let change = async |password: &str, current: &str| {
        let change = json!({ "password": password, "currentPassword": current });
        shop.api.patch("/users/me").by(anna).json(change).send().await
    };
    let _ = change("fresh secret", "sesame8").await.problem(403, "wrong_password");
    let answer = change("sesame8", "sesame7").await.problem(422, "invalid_body");
    assert_eq!(answer.pointers(), ["/password"]);
    let _ = change("fresh secret", "sesame7").await.expect(200);
    assert!(shop.password_of(anna, "fresh secret").await);
}

#[tokio::test]
async fn an_admin_needs_the_current_password_for_themselves_only() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let change = json!({ "email": "new@example.com", "password": "fresh secret" });
    let answer = shop.api.patch(path(anna)).by(admin).json(change.clone()).send().await;
    assert_eq!(answer.expect(200).body["email"], "new@example.com");
    assert!(shop.password_of(anna, "fresh secret").await);

    let answer = shop.api.patch("/users/me").by(admin).json(change).send().await;
    let _ = answer.problem(422, "invalid_body");
}

#[tokio::test(start_paused = true)]
async fn the_right_password_is_accepted_even_if_the_failures_cannot_be_forgotten() {
    let (shop, plan) = Shop::with_faults();
    let anna = shop.anna().await;
    plan.next("DeleteItem", 4, Fault::Reset);
    let change = json!({ "password": "fresh secret", "currentPassword": PASSWORD });
    let _ = shop.api.patch(path(anna)).json(change).by(anna).send().await.expect(200);
    assert_eq!(plan.remaining(), 0);
    assert!(shop.password_of(anna, "fresh secret").await);
}

#[tokio::test]
async fn the_current_password_cannot_be_guessed_more_often_than_at_log_in() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let guess = async |password: &str| {
        let change = json!({ "password": "fresh secret", "currentPassword": password });
        shop.api.patch("/users/me").by(anna).json(change).send().await
    };
    for _ in 0..10 {
        let _ = guess("wrong password").await.problem(403, "wrong_password");
    }
    let answer = guess(PASSWORD).await.problem(429, "too_many_logins");
    assert!(answer.header("retry-after").is_some());
}

#[tokio::test]
async fn another_users_email_is_taken_and_a_former_one_is_free() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let rename = async |persona: Persona, email: &str| {
        let change = json!({ "email": email });
        shop.api.patch(path(persona)).by(admin).json(change).send().await
    };
    let ben = shop.with("ben", Role::User).await;
    let _ = rename(ben, "anna@example.com").await.problem(409, "email_taken");
    let _ = rename(anna, "elsewhere@example.com").await.expect(200);
    let _ = rename(ben, "anna@example.com").await.expect(200);
}

#[tokio::test]
async fn an_empty_or_invalid_patch_is_rejected() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for (change, pointers) in [
        (json!({}), vec![""]),
        (json!({ "currentPassword": PASSWORD }), vec![""]),
        (json!({ "name": null }), vec!["/name"]),
        (json!({ "name": "" }), vec!["/name"]),
        (json!({ "role": "admin" }), vec!["/role"]),
        (json!({ "version": 7 }), vec!["/version"]),
        (
            json!({ "email": "anna.example", "currentPassword": "" }),
            vec!["/email", "/currentPassword"],
        ),
    ] {
        let answer = shop.api.patch("/users/me").by(anna).json(change.clone()).send().await;
        let answer = answer.problem(422, "invalid_body");
        let mut found = answer.pointers();
        found.sort_unstable_by_key(|pointer| pointers.iter().position(|wanted| wanted == pointer));
        assert_eq!(found, pointers, "{change}");
    }
}

#[tokio::test]
async fn if_match_accepts_only_the_version_that_it_names() {
    let shop = Shop::open().await;
    let (anna, admin) = (shop.anna().await, shop.admin().await);
    let attempts = |tag: &'static str| {
        let confirmed = json!({ "password": "fresh secret", "currentPassword": PASSWORD });
        [
            shop.api.patch("/users/me").by(anna).json(json!({ "name": "A" })),
            shop.api.patch("/users/me").by(anna).json(confirmed),
            shop.api.put(path(anna) + "/role").by(admin).json(json!({ "role": "admin" })),
            shop.api.delete("/users/me").by(anna).json(json!({ "currentPassword": PASSWORD })),
        ]
        .map(|request| request.header("if-match", tag))
    };
    for tag in ["\"2\"", "\"0\"", "\"01\"", "\"+1\"", "W/\"1\"", "\"abc\"", "\"\""] {
        for request in attempts(tag) {
            let _ = request.send().await.problem(412, "version_mismatch");
        }
    }
    for tag in ["1", "", "\"1", "\"1\", \"2\"", "W/1", "**"] {
        for request in attempts(tag) {
            let answer = request.send().await.problem(400, "invalid_header");
            assert_eq!(answer.pointers(), ["If-Match"]);
        }
    }
    let patch = shop.api.patch("/users/me").by(anna);
    let answer = patch.header("if-match", "\"1\"").json(json!({ "name": "A" })).send().await;
    assert_eq!(answer.expect(200).header("etag"), Some("\"2\""));
    let put = shop.api.put(path(anna) + "/role").by(admin).header("if-match", "\"2\"");
    let _ = put.json(json!({ "role": "staff" })).send().await.expect(200);
    let patch = shop.api.patch("/users/me").by(anna).header("if-match", "*");
    let _ = patch.json(json!({ "name": "B" })).send().await.expect(200);
    let delete = shop.api.delete("/users/me").by(anna).header("if-match", "\"4\"");
    let delete = delete.json(json!({ "currentPassword": PASSWORD }));
    let _ = delete.send().await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_8_concurrent_changes_to_a_version_wins() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let patch = shop.api.patch("/users/me").by(anna).header("if-match", "\"1\"");
            tokio::spawn(patch.json(json!({ "name": format!("Anna {number}") })).send())
        })
        .collect();
    let answers: Vec<Answer> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let winners = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(winners, 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        let _ = answer.problem(412, "version_mismatch");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_confirmed_before_another_change_changes_nothing() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    let tasks: Vec<_> = (0..8)
        .map(|number| {
            let change =
                json!({ "password": format!("password {number}"), "currentPassword": PASSWORD });
            tokio::spawn(shop.api.patch("/users/me").by(anna).json(change).send())
        })
        .collect();
    let answers: Vec<Answer> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<usize> = (0..8).filter(|number| answers[*number].status == 200).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert!(shop.password_of(anna, &format!("password {}", winners[0])).await);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        if answer.status == 503 {
            let answer = answer.problem(503, "contention");
            assert_eq!(answer.header("retry-after"), Some("1"));
        } else {
            let _ = answer.problem(403, "wrong_password");
        }
    }
}

#[tokio::test]
async fn a_new_email_is_one_mailbox_whichever_way_it_is_typed() {
    let shop = Shop::open().await;
    let (anna, ben, admin) =
        (shop.anna().await, shop.with("ben", Role::User).await, shop.admin().await);
    let change = async |persona: Persona, email: &str| {
        let change = json!({ "email": email, "currentPassword": PASSWORD });
        shop.api.patch("/users/me").by(persona).json(change).send().await
    };
    let answer = change(anna, "Kunde@MÜLLER.example").await.expect(200);
    assert_eq!(answer.body["email"], "kunde@xn--mller-kva.example");
    let _ = change(ben, "kunde@xn--mller-kva.example").await.problem(409, "email_taken");
    let _ = change(ben, "kunde@mu\u{308}ller.example").await.problem(409, "email_taken");
    for typed in ["kunde@m%C3%BCller.example", "kunde@xn--mller-kva.example"] {
        let found =
            shop.api.get(format!("/users?email={typed}")).by(admin).send().await.expect(200);
        assert_eq!(found.body["items"][0]["id"], anna.user_id.to_string(), "{typed}");
    }
}

#[tokio::test]
async fn a_name_is_one_line_that_shows_what_it_says() {
    let shop = Shop::open().await;
    let anna = shop.anna().await;
    for name in ["Ada\r\nBcc: victim@example.com", "\u{200B}", "a\u{202E}b"] {
        let answer =
            shop.api.patch("/users/me").by(anna).json(json!({ "name": name })).send().await;
        assert_eq!(answer.problem(422, "invalid_body").pointers(), ["/name"], "{name:?}");
    }
    let change = json!({ "name": "Ange\u{301}lique" });
    let answer = shop.api.patch("/users/me").by(anna).json(change).send().await.expect(200);
    assert_eq!(answer.body["name"], "Angélique");
}
