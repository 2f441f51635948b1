//! People with names, addresses and passwords in any script, typed on any keyboard.

use serde_json::json;

use crate::{PASSWORD, log_in, register, start};

#[tokio::test]
async fn one_mailbox_is_one_user_whichever_way_it_is_typed() {
    let (api, _database) = start().await;
    for (one, other, stored) in [
        // What a browser's email field submits, and what is typed into another field.
        ("kunde@müller.example", "KUNDE@xn--mller-kva.example", "kunde@xn--mller-kva.example"),
        ("renée@example.com", "RENE\u{301}E@ＥＸＡＭＰＬＥ.com", "renée@example.com"),
        ("शक्ति@example.com", " शक्ति@example.com", "शक्ति@example.com"),
        ("user@विश्व.भारत", "user@xn--y2bac9a9d.xn--h2brj9c", "user@xn--y2bac9a9d.xn--h2brj9c"),
        (
            "한글@example.com",
            "\u{1112}\u{1161}\u{11AB}\u{1100}\u{1173}\u{11AF}@example.com",
            "한글@example.com",
        ),
        ("Ngu\u{1EC5}n@example.com", "Ngue\u{302}\u{303}n@example.com", "nguễn@example.com"),
        ("カ\u{3099}@example.com", "ガ@example.com", "ガ@example.com"),
    ] {
        let body = |email: &str| json!({ "email": email, "password": PASSWORD, "name": "Anna" });
        let user = register(&api, body(one)).await.expect(201).body;
        assert_eq!(user["email"], stored);
        let _ = register(&api, body(other)).await.problem(409, "email_taken");
        let session = log_in(&api, other, PASSWORD).await.expect(201).body;
        assert_eq!(session["user"]["id"], user["id"], "{other}");
    }
}

#[tokio::test]
async fn a_name_has_one_spelling_and_nothing_that_nobody_sees() {
    let (api, _database) = start().await;
    for (number, (name, stored)) in [
        ("Rene\u{301}e", "Renée"),
        ("O'Neill \"Ada\" <b>", "O'Neill \"Ada\" <b>"),
        ("علی\u{200C}رضا", "علی\u{200C}رضا"),
        ("葛\u{E0100}城 太郎", "葛\u{E0100}城 太郎"),
        ("ธนาคารกำ", "ธนาคารกำ"),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("customer{number}@example.com");
        let body = json!({ "email": email, "password": PASSWORD, "name": name });
        assert_eq!(register(&api, body).await.expect(201).body["name"], stored);
    }
    for name in
        ["Ada\r\nBcc: victim@example.com", "\u{200B}", "a\u{202E}b", "Ada\u{2029}", "a\u{AD}b"]
    {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "name": name });
        let answer = register(&api, body).await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/name"], "{name:?}");
        assert!(answer.body.to_string().contains("U+"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_password_is_right_whichever_way_it_is_typed() {
    let (api, _database) = start().await;
    let (typed, other) = ("mañana-mañana", "man\u{303}ana-man\u{303}ana");
    let body = json!({ "email": "anna@example.com", "password": typed, "name": "Anna" });
    let _ = register(&api, body).await.expect(201);
    for password in [other, typed] {
        let _ = log_in(&api, "anna@example.com", password).await.expect(201);
    }
    let _ =
        log_in(&api, "anna@example.com", "manana-manana").await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn addresses_that_nobody_could_write_to_are_refused() {
    let (api, _database) = start().await;
    for email in [
        "a\u{200B}@example.com",
        "a@xn--a.com",
        "a b@example.com",
        "a@b\u{202E}.com",
        "\"a\"@b.com",
    ] {
        let body = json!({ "email": email, "password": PASSWORD, "name": "Anna" });
        let answer = register(&api, body).await.problem(422, "invalid_body");
        assert_eq!(answer.pointers(), ["/email"], "{email:?}");
    }
}
